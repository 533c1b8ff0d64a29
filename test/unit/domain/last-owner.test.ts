import { expect, test } from 'vitest';
import { DAY_MS, keyOf, World } from './world.js';

const owner = 'owner@studio.example';
const second = 'second@studio.example';

/** A second owner, who joined with or without the scope for administration. */
function worldOfTwo(adminKey: string | null): World {
  const world = new World();
  const terms = { name: null, role: 'owner', device: false, invitationMs: DAY_MS } as const;
  const { invitation } = world.ok({ type: 'invite', ...world.admin(), email: second, ...terms });
  world.ok({ type: 'enrol', invitation, leaseKey: keyOf('second'), adminKey, name: 'pc' });
  return world;
}

test('the last owner whose devices may administer stays: nobody could let anybody in again', () => {
  const world = worldOfTwo(null);
  world.refused({ type: 'removeUser', ...world.admin(), email: owner }, 'LAST_OWNER');
  world.ok({ type: 'removeUser', ...world.admin(), email: second });
  expect(world.state.tables.user.has(second)).toBe(false);
});

test('one of two who both may administer can go', () => {
  const world = worldOfTwo(keyOf('second-admin'));
  world.ok({ type: 'removeUser', ...world.admin(), email: second });
  world.refused({ type: 'removeUser', ...world.admin(), email: owner }, 'LAST_OWNER');
});

test('one who is to be no owner any more is not told of a removal', () => {
  const world = new World();
  const none = { name: null, addAliases: [], removeAliases: [], was: {} };
  const demoted = { type: 'setUser', ...world.admin(), ...none, email: owner, role: 'admin' } as const;
  const { message } = world.refused(demoted, 'LAST_OWNER');
  expect(message).toMatch(/owner/);
  expect(message).not.toMatch(/removed/);
});
