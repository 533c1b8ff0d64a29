import { decide } from '@berth/server/domain/decide/decide';
import { expect, test } from 'vitest';
import { World } from './world.js';

test('who asks for more than is owned is not told to wait: it would be in vain', () => {
  const world = new World();
  world.import({ seats: 2 });
  const a = world.user('a');
  const denial = decide(world.state, world.checkingOut(a, 3), world.context);
  expect(denial).toMatchObject({ code: 'NO_SEAT', detail: { rule: 'MORE_THAN_OWNED' } });
  expect('next' in denial && denial.next).not.toContain('wait');
  expect('next' in denial && denial.next).toContain('fewer');
});
