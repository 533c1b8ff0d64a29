import { canPass } from '@berth/server/domain/decide/denial';
import { describe, expect, test } from 'vitest';
import { DAY_MS, START_MS, WINDOW_MS, World } from './world.js';

describe('checkout', () => {
  test('grants what is owned and explains the refusal of one more', () => {
    const world = new World();
    world.import();
    const [a, b] = [world.user('a'), world.user('b')];
    world.checkout(a, 2);
    world.pass(10_000);
    world.checkout(b);
    const denial = world.refused(world.checkingOut(b), 'NO_SEAT');
    expect(denial.detail).toMatchObject({
      rule: 'ALL_IN_USE',
      holders: [
        { user: 'a@studio.example', device: 'a-pc', seats: 2, kind: 'online', untilMs: START_MS + WINDOW_MS },
        { user: 'b@studio.example', seats: 1, untilMs: START_MS + 10_000 + WINDOW_MS },
      ],
      nextFreeAtMs: START_MS + WINDOW_MS,
    });
    expect(world.usage()).toMatchObject({ owned: 3, inUse: 3, free: 0, over: 0 });
  });

  test('takes seats of several entitlements all or nothing', () => {
    const world = new World();
    world.import({ seats: 2 });
    world.import({ jti: 'ent-2', seats: 2 });
    const a = world.user('a');
    const { leases } = world.checkout(a, 3);
    expect(leases.map(({ ent, n }) => [ent, n])).toEqual([
      ['ent-1', 2],
      ['ent-2', 1],
    ]);
    world.refused(world.checkingOut(a, 2), 'NO_SEAT');
    expect(world.usage().used).toBe(3);
  });

  test('names the rule that stood in the way', () => {
    const world = new World();
    const a = world.user('a');
    world.refused(world.checkingOut(a), 'NO_PRODUCT');
    world.import({ seats: 1 });
    expect(world.refused(world.checkingOut(a, 2), 'NO_SEAT').detail).toMatchObject({
      rule: 'MORE_THAN_OWNED',
    });
    world.user('b');
    world.ok({
      type: 'assign',
      ...world.admin(),
      email: 'b@studio.example',
      product: 'render',
      quantity: 1,
      endMs: null,
    });
    expect(world.refused(world.checkingOut(a), 'NO_SEAT').detail).toMatchObject({
      rule: 'ALLOCATED_TO_OTHERS',
    });
  });

  test('is refused where a window would outlive the entitlement', () => {
    const world = new World();
    world.import({ exp: (START_MS + WINDOW_MS + 999) / 1000 - 0.24 });
    const a = world.user('a');
    world.checkout(a);
    world.pass(1000);
    expect(world.refused(world.checkingOut(a), 'NO_SEAT').detail).toMatchObject({ rule: 'ENTITLEMENT_ENDS' });
  });

  test('is refused while the disk is low or the clock is behind what was seen', () => {
    const world = new World();
    world.import();
    const a = world.user('a');
    const { leases } = world.checkout(a);
    world.diskLow = true;
    world.refused(world.checkingOut(a), 'DISK_LOW');
    expect(world.renew(a, [leases[0]!.jti]).leases).toMatchObject([{ claims: { jti: leases[0]!.jti } }]);
    world.diskLow = false;
    world.now = { ...world.now, wallMs: START_MS - 6 * 60_000 };
    world.refused(world.checkingOut(a), 'CLOCK_BEHIND');
  });
});

describe('sharing', () => {
  test('process: every checkout takes a seat', () => {
    const world = new World();
    world.import({ seats: 1 });
    const a = world.user('a');
    world.checkout(a);
    world.refused(world.checkingOut(a), 'NO_SEAT');
  });

  test('device: the same device joins, the last to leave frees the seat', () => {
    const world = new World();
    world.import({ seats: 1, share: 'device' });
    const [a, b] = [world.user('a'), world.user('b')];
    const first = world.checkout(a);
    const second = world.checkout(a);
    expect(second).toMatchObject({ joined: true, leases: [{ seat: first.leases[0]!.seat }] });
    world.refused(world.checkingOut(b), 'NO_SEAT');
    world.release(a, [first.leases[0]!.jti]);
    world.refused(world.checkingOut(b), 'NO_SEAT');
    world.release(a, [second.leases[0]!.jti]);
    world.checkout(b);
  });

  test('joining with more than the seat has takes new seats', () => {
    const world = new World();
    world.import({ share: 'device' });
    const a = world.user('a');
    world.checkout(a);
    expect(world.checkout(a, 2)).toMatchObject({ joined: false });
    expect(world.usage().used).toBe(3);
    world.refused(world.checkingOut(a, 3), 'NO_SEAT');
  });

  test('a revoked seat cannot be joined', () => {
    const world = new World();
    world.import({ seats: 1, share: 'device' });
    const a = world.user('a');
    const { leases } = world.checkout(a);
    world.ok({ type: 'revokeLease', ...world.admin(), lease: leases[0]!.jti, reason: '' });
    world.refused(world.checkingOut(a), 'NO_SEAT');
  });
});

describe('window', () => {
  test('a silent client keeps its seat for W and not a millisecond longer', () => {
    const world = new World();
    world.import({ seats: 1 });
    const [a, b] = [world.user('a'), world.user('b')];
    world.checkout(a);
    world.pass(WINDOW_MS - 1);
    world.refused(world.checkingOut(b), 'NO_SEAT');
    world.pass(1);
    world.checkout(b);
  });

  test('renewals carry it on, also when the wall clock jumps', () => {
    const world = new World();
    world.import({ seats: 1 });
    const a = world.user('a');
    const { leases } = world.checkout(a);
    for (let i = 0; i < 10; i++) {
      world.pass(WINDOW_MS - 1);
      expect(world.renew(a, [leases[0]!.jti]).leases).toMatchObject([{ claims: {} }]);
    }
    world.now = { ...world.now, wallMs: world.now.wallMs + DAY_MS };
    world.tick();
    expect(world.renew(a, [leases[0]!.jti]).leases).toMatchObject([{ claims: {} }]);
  });

  test('uses the D the lease was granted with, whatever is configured later', () => {
    const world = new World();
    world.import({ seats: 1 });
    const [a, b] = [world.user('a'), world.user('b')];
    const { leases } = world.checkout(a);
    world.leaseSeconds = 2;
    world.renew(a, [leases[0]!.jti]);
    world.pass(WINDOW_MS - 1);
    world.refused(world.checkingOut(b), 'NO_SEAT');
    world.restart();
    world.pass(WINDOW_MS - 1);
    world.refused(world.checkingOut(b), 'NO_SEAT');
    world.pass(1);
    world.checkout(b);
  });

  test('after a restart every online lease is held for one full window (I4), and can be resumed', () => {
    const world = new World();
    world.import({ seats: 2 });
    const [a, b] = [world.user('a'), world.user('b')];
    const { leases } = world.checkout(a);
    world.checkout(b);
    world.pass(WINDOW_MS - 1);
    world.restart();
    expect(world.usage()).toMatchObject({ inUse: 2, free: 0 });
    world.pass(WINDOW_MS - 1);
    expect(world.renew(a, [leases[0]!.jti]).leases).toMatchObject([{ claims: { seat: leases[0]!.seat } }]);
    world.pass(1);
    expect(world.usage()).toMatchObject({ inUse: 1, free: 1 });
  });

  test('another device can neither renew nor release it', () => {
    const world = new World();
    world.import();
    const [a, b] = [world.user('a'), world.user('b')];
    const lease = world.checkout(a).leases[0]!.jti;
    expect(world.renew(b, [lease]).leases).toEqual([{ lease, code: 'LEASE_UNKNOWN' }]);
    world.refused({ type: 'release', ...world.by(b), leases: [lease], stopped: [] }, 'LEASE_UNKNOWN');
    expect(world.usage().inUse).toBe(1);
  });
});

describe('idempotency (I7)', () => {
  test('a retry gets the same claims, another body an error, until W after the end of the lease', () => {
    const world = new World();
    world.import();
    const a = world.user('a');
    const command = { ...world.checkingOut(a), ...world.by(a, 'retried') };
    const first = world.ok(command);
    world.pass(5000);
    expect(world.ok(command)).toEqual(first);
    expect(world.usage().inUse).toBe(1);
    world.refused({ ...command, ...world.by(a, 'retried', 'other body') }, 'KEY_REUSED');
    world.restart();
    expect(world.ok(command)).toEqual(first);
    world.release(a, [first.leases[0]!.jti]);
    world.pass(WINDOW_MS - 1);
    expect(world.ok(command)).toEqual(first);
    expect(world.usage().inUse).toBe(0);
    world.pass(2);
    expect(world.ok(command)).not.toEqual(first);
  });

  test('keys are scoped to the device', () => {
    const world = new World();
    world.import();
    const [a, b] = [world.user('a'), world.user('b')];
    world.ok({ ...world.checkingOut(a), ...world.by(a, 'same') });
    world.ok({ ...world.checkingOut(b), ...world.by(b, 'same') });
    expect(world.usage().inUse).toBe(2);
  });
});

describe('entitlements that end', () => {
  test('a renewal moves the seat to another one, else the lease runs out inside its own', () => {
    const world = new World();
    world.import({ seats: 1, exp: (START_MS + 300_000) / 1000 });
    const a = world.user('a');
    const { leases } = world.checkout(a);
    world.import({ jti: 'ent-2', seats: 1 });
    world.pass(100_000);
    expect(world.renew(a, [leases[0]!.jti]).leases).toMatchObject([{ claims: { ent: 'ent-1' } }]);
    world.pass(100_000);
    expect(world.renew(a, [leases[0]!.jti])).toMatchObject({
      moved: true,
      leases: [{ claims: { ent: 'ent-2', seat: leases[0]!.seat } }],
    });
    world.pass(100_000);
    expect(world.renew(a, [leases[0]!.jti])).toMatchObject({ moved: true });
    expect(world.usage()).toMatchObject({ owned: 1, inUse: 1, over: 0 });
  });

  test('without another one the last renewal is refused and nothing outlives the end', () => {
    const world = new World();
    world.import({ seats: 1, exp: (START_MS + 300_000) / 1000 });
    const a = world.user('a');
    const { leases } = world.checkout(a);
    world.pass(100_000);
    world.renew(a, [leases[0]!.jti]);
    world.pass(100_000);
    expect(world.renew(a, [leases[0]!.jti]).leases).toEqual([
      { lease: leases[0]!.jti, code: 'ENTITLEMENT_EXPIRED' },
    ]);
    world.pass(100_000);
    expect(world.usage()).toMatchObject({ owned: 0, inUse: 0, over: 0 });
    expect(world.state.tables.entitlement.get('ent-1')!.state).toBe('expired');
  });
});

describe('forced release', () => {
  test('holds the seat until a signed stop, or until the window ends', () => {
    const world = new World();
    world.import({ seats: 1 });
    const [a, b] = [world.user('a'), world.user('b')];
    const lease = world.checkout(a).leases[0]!.jti;
    world.ok({ type: 'revokeLease', ...world.admin(), lease, reason: 'needed' });
    expect(world.usage()).toMatchObject({ held: 1, inUse: 0, free: 0 });
    expect(world.renew(a, [lease]).leases).toEqual([{ lease, code: 'LEASE_REVOKED' }]);
    world.refused(world.checkingOut(b), 'NO_SEAT');
    world.refused({ type: 'release', ...world.by(a), leases: [lease], stopped: [] }, 'STOP_REQUIRED');
    world.release(a, [lease], [lease]);
    const second = world.checkout(b).leases[0]!.jti;
    world.ok({ type: 'revokeLease', ...world.admin(), lease: second, reason: '' });
    world.pass(WINDOW_MS);
    expect(world.usage()).toMatchObject({ held: 0, free: 1 });
  });
});

describe('bundles and fallback', () => {
  function site(): { world: World; a: string; b: string } {
    const world = new World();
    world.import({ seats: 1 });
    world.import({ jti: 'ent-gui', product: 'gui', seats: 2 });
    return { world, a: world.user('a'), b: world.user('b') };
  }
  const gui = { products: ['gui'], seats: 1 };
  const render = { products: ['render'], seats: 1 };

  test('a bundle is granted whole', () => {
    const { world, a } = site();
    const { leases } = world.ok({ ...world.checkingOut(a), wants: [gui, render] });
    expect(leases.map(({ product }) => product)).toEqual(['gui', 'render']);
  });

  test('or not at all: the missing product is named and nothing is taken', () => {
    const { world, a, b } = site();
    world.checkout(b);
    const denial = world.refused({ ...world.checkingOut(a), wants: [gui, render] }, 'NO_SEAT');
    expect(denial.message).toMatch(/^render: /);
    expect(denial.detail).toMatchObject({
      product: 'render',
      rule: 'ALL_IN_USE',
      holders: [{ user: 'b@studio.example' }],
    });
    expect(world.usage('gui')).toMatchObject({ inUse: 0, free: 2 });
  });

  test('of several products the first that has a seat is taken, and a denial says what else was tried', () => {
    const { world, a, b } = site();
    const either = { products: ['render', 'unknown', 'gui'], seats: 1 };
    expect(world.ok({ ...world.checkingOut(a), wants: [either] }).leases).toMatchObject([
      { product: 'render' },
    ]);
    expect(world.ok({ ...world.checkingOut(b), wants: [either] }).leases).toMatchObject([{ product: 'gui' }]);
    world.checkout(b, 1, 'gui');
    const denial = world.refused({ ...world.checkingOut(b), wants: [either] }, 'NO_SEAT');
    expect(denial.detail).toMatchObject({
      product: 'render',
      alsoTried: [
        { product: 'unknown', rule: 'NOT_ENTITLED' },
        { product: 'gui', rule: 'ALL_IN_USE' },
      ],
    });
  });

  test('two wants of one bundle never take from the same pool', () => {
    const { world, a } = site();
    const either = { products: ['render', 'gui'], seats: 1 };
    expect(world.ok({ ...world.checkingOut(a), wants: [either, either] }).leases).toMatchObject([
      { product: 'render' },
      { product: 'gui' },
    ]);
    expect(canPass(world.refused({ ...world.checkingOut(a), wants: [gui, gui] }, 'NO_SEAT'))).toBe(false);
    expect(world.usage('gui').used).toBe(1);
  });

  test('shared seats that others wait for are not taken by whoever comes later, own allocations are', () => {
    const { world, a, b } = site();
    world.awaited = new Map([['gui', 2]]);
    expect(world.refused(world.checkingOut(a, 1, 'gui'), 'NO_SEAT').detail).toMatchObject({
      rule: 'OTHERS_WAIT',
    });
    world.ok({
      type: 'assign',
      ...world.admin(),
      email: 'b@studio.example',
      product: 'gui',
      quantity: 1,
      endMs: null,
    });
    world.checkout(b, 1, 'gui');
  });
});
