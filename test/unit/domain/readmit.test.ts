import type { LeaseClaims } from '@berth/protocol';
import { describe, expect, test } from 'vitest';
import { World } from './world.js';

describe('a seat that a device shows larger than a restored server knows it', () => {
  /** Three seats, of which so many are set aside for Anna, who has one. */
  function restored(allocated: number) {
    const world = new World();
    world.import({ seats: 3, share: 'user', borrow: { maxSeconds: 3600, seats: 1 } });
    const anna = world.user('anna');
    if (allocated > 0) {
      const who = { ...world.admin(), email: 'anna@studio.example', product: 'render' };
      world.ok({ type: 'assign', ...who, quantity: allocated, endMs: null });
    }
    const [lease] = world.checkout(anna).leases as LeaseClaims[];
    world.restore(world.rows());
    const shown = { ...lease!, jti: 'larger', n: 2 };
    return world.ok({ type: 'readmit', by: world.by(anna).by, leases: [shown] });
  }

  test.each([0, 2, 3])('grows by what is left where it is charged (%s set aside)', (allocated) =>
    expect(restored(allocated).admitted).toHaveLength(1),
  );
  test('does not grow beyond its allocation by what is shared', () =>
    expect(restored(1).refused).toHaveLength(1));
});
