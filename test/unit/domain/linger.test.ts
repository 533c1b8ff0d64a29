import { describe, expect, test } from 'vitest';
import { DAY_MS, START_MS, World } from './world.js';

const LINGER_MS = 60_000;

function studio(share: 'process' | 'device' | 'user' = 'process', seats = 2) {
  const world = new World();
  world.import({ seats, share });
  set(world, 60);
  return { world, anna: world.user('anna'), bo: world.user('bo') };
}

function set(world: World, lingerSeconds: number | null) {
  const settings = { lingerSeconds };
  world.ok({ type: 'setPool', ...world.admin(), product: 'render', settings });
}

/** Takes seats and gives them back: they linger. @returns the lease */
function leave(world: World, device: string, seats = 1): string {
  const { leases } = world.checkout(device, seats);
  world.release(
    device,
    leases.map(({ jti }) => jti),
  );
  return leases[0]!.jti;
}

const whole = { inUse: 0, held: 0, free: 2 };

describe('after a release', () => {
  test('the seat is held for as long as the pool says, to the millisecond', () => {
    const { world, anna } = studio();
    leave(world, anna);
    expect(world.usage()).toMatchObject({ inUse: 0, held: 1, free: 1, over: 0 });
    world.pass(LINGER_MS - 1);
    expect(world.usage()).toMatchObject({ held: 1 });
    world.pass(1);
    expect(world.usage()).toMatchObject(whole);
  });

  test('nobody else gets it before, and is told who has it and when it is free', () => {
    const { world, anna, bo } = studio('process', 1);
    leave(world, anna);
    const denial = world.refused(world.checkingOut(bo), 'NO_SEAT');
    expect(denial.detail).toMatchObject({
      rule: 'ALL_IN_USE',
      nextFreeAtMs: START_MS + LINGER_MS,
      holders: [{ user: 'anna@studio.example', kind: 'held' }],
    });
    world.pass(LINGER_MS);
    world.checkout(bo);
  });

  test.each(['process', 'device'] as const)('the same device takes it over at once (share %s)', (share) => {
    const { world, anna } = studio(share, 1);
    leave(world, anna);
    const seat = [...world.state.tables.seat.values()][0]!.id;
    const again = world.checkout(anna);
    expect(again).toMatchObject({ joined: true, leases: [{ seat }] });
    expect(world.usage()).toMatchObject({ inUse: 1, held: 0 });
    world.pass(LINGER_MS);
    expect(world.usage()).toMatchObject({ inUse: 1 });
  });

  test('with share user another device of the same user does too', () => {
    const { world, anna } = studio('user', 1);
    const email = 'anna@studio.example';
    const invited = {
      type: 'invite',
      ...world.admin(),
      email,
      name: null,
      role: null,
      device: true,
    } as const;
    const { invitation } = world.ok({ ...invited, invitationMs: DAY_MS });
    const key = `ed25519:${'2'.repeat(43)}`;
    const laptop = world.ok({ type: 'enrol', invitation, leaseKey: key, adminKey: null, name: 'l' }).device;
    leave(world, anna);
    expect(world.checkout(laptop)).toMatchObject({ joined: true });
  });

  test('each of two plugins of a device finds a seat of its own', () => {
    const { world, anna } = studio('process', 2);
    const [first] = world.checkout(anna).leases;
    const [second] = world.checkout(anna).leases;
    world.release(anna, [first!.jti, second!.jti]);
    expect(world.usage()).toMatchObject({ held: 2 });
    const seats = [world.checkout(anna), world.checkout(anna)].map(({ leases }) => leases[0]!.seat);
    expect(new Set(seats)).toEqual(new Set([first!.seat, second!.seat]));
  });

  test('a joined seat lingers when the last one leaves', () => {
    const { world, anna } = studio('device');
    const [first, second] = [world.checkout(anna), world.checkout(anna)].map(({ leases }) => leases[0]!.jti);
    world.release(anna, [first!]);
    expect(world.usage()).toMatchObject({ inUse: 1, held: 0 });
    world.release(anna, [second!]);
    expect(world.usage()).toMatchObject({ inUse: 0, held: 1 });
  });

  test('both leases of one release count: one linger', () => {
    const { world, anna } = studio('device');
    const leases = [world.checkout(anna), world.checkout(anna)].map((one) => one.leases[0]!.jti);
    world.release(anna, leases);
    expect(world.usage()).toMatchObject({ inUse: 0, held: 1 });
  });
});

describe('whoever wants another number of seats', () => {
  test('gives up what lingers: nobody is locked out by a seat of their own', () => {
    const { world, anna } = studio('process', 2);
    leave(world, anna, 1);
    expect(world.checkout(anna, 2)).toMatchObject({ joined: false });
    expect(world.usage()).toMatchObject({ inUse: 2, held: 0 });
  });

  test('keeps it when the wish cannot be granted', () => {
    const { world, anna, bo } = studio('process', 2);
    leave(world, anna, 1);
    world.checkout(bo);
    world.refused(world.checkingOut(anna, 2), 'NO_SEAT');
    expect(world.usage()).toMatchObject({ held: 1 });
  });

  test('a borrow gives it up, and no more is lent than the entitlement allows', () => {
    const world = new World();
    world.import({ seats: 2, borrow: { maxSeconds: DAY_MS / 1000, seats: 1 } });
    set(world, 60);
    const [anna, bo] = [world.user('anna'), world.user('bo')];
    leave(world, anna, 2);
    world.ok(world.borrowing(anna, 3600));
    expect(world.usage()).toMatchObject({ borrowed: 1, held: 0 });
    leave(world, bo);
    world.refused(world.borrowing(bo, 3600), 'BORROW_LIMIT');
  });
});

describe('what ends a linger', () => {
  test('a forced release, by the last lease; it is listed under it', () => {
    const { world, anna } = studio();
    const lease = leave(world, anna);
    const forced = { type: 'revokeLease', ...world.admin(), lease, reason: '' } as const;
    expect(world.ok(forced)).toMatchObject({ lease, freeAtMs: world.now.wallMs });
    expect(world.usage()).toMatchObject(whole);
  });

  test('turning it off', () => {
    const { world, anna } = studio();
    leave(world, anna);
    set(world, null);
    expect(world.usage()).toMatchObject(whole);
    leave(world, anna);
    expect(world.usage()).toMatchObject(whole);
  });

  test('capacity that shrinks', () => {
    const { world, anna } = studio();
    leave(world, anna);
    world.import({ rev: 2, seats: 1, share: 'process' });
    expect(world.usage()).toMatchObject({ owned: 1, held: 0, over: 0, free: 1 });
  });

  test('a replacement that has no place for it', () => {
    const { world, anna } = studio();
    leave(world, anna, 2);
    world.import({ jti: 'ent-2', replaces: 'ent-1', seats: 1, share: 'process' });
    expect(world.usage()).toMatchObject({ owned: 1, held: 0, free: 1 });
  });

  test('the end of its entitlement, with allocations and two entitlements that end together', () => {
    const world = new World();
    const exp = (START_MS + DAY_MS) / 1000;
    world.import({ seats: 1, exp });
    world.import({ jti: 'ent-2', seats: 1, exp });
    set(world, 86_400);
    const [anna, bo] = [world.user('anna'), world.user('bo')];
    const email = 'anna@studio.example';
    world.ok({ type: 'assign', ...world.admin(), email, product: 'render', quantity: 1, endMs: null });
    world.pass(DAY_MS / 2);
    leave(world, anna);
    leave(world, bo);
    expect(world.usage()).toMatchObject({ held: 2 });
    world.pass(DAY_MS / 2);
    expect(world.usage()).toMatchObject({ owned: 0, held: 0, over: 0 });
  });

  test('its removal, the revoke of its allocation, and the removal of its user', () => {
    const { world, anna } = studio();
    const email = 'anna@studio.example';
    const allocation = { email, product: 'render', endMs: null };
    world.ok({ type: 'assign', ...world.admin(), ...allocation, quantity: 1 });
    leave(world, anna);
    world.ok({ type: 'revoke', ...world.admin(), ...allocation, quantity: 'all' });
    expect(world.usage()).toMatchObject(whole);
    leave(world, anna);
    world.ok({ type: 'removeUser', ...world.admin(), email });
    expect(world.usage()).toMatchObject(whole);
    const carl = world.user('carl');
    leave(world, carl);
    world.ok({ type: 'removeEntitlement', ...world.admin(), id: 'ent-1' });
    expect(world.usage()).toMatchObject({ owned: 0, held: 0, over: 0 });
  });
});

describe('what does not linger', () => {
  test('a seat that was taken away', () => {
    const { world, anna } = studio();
    const lease = world.checkout(anna).leases[0]!.jti;
    world.ok({ type: 'revokeLease', ...world.admin(), lease, reason: '' });
    world.release(anna, [lease], [lease]);
    expect(world.usage()).toMatchObject(whole);
  });

  test('a seat whose window ran out: it was held for long enough', () => {
    const { world, anna } = studio();
    world.checkout(anna);
    world.pass(130_241);
    expect(world.usage()).toMatchObject(whole);
  });

  test('an excess: while more is in use than owned it only shrinks (I1)', () => {
    const { world, anna, bo } = studio();
    const lease = world.checkout(anna).leases[0]!.jti;
    world.checkout(bo);
    world.import({ rev: 2, seats: 1, share: 'process' });
    expect(world.usage()).toMatchObject({ over: 1 });
    world.release(anna, [lease]);
    expect(world.usage()).toMatchObject({ over: 0, held: 0, inUse: 1 });
  });
});

test('a restart keeps it, and lets it linger once more from there', () => {
  const { world, anna, bo } = studio('process', 1);
  leave(world, anna);
  world.pass(LINGER_MS - 1);
  world.restart();
  world.pass(LINGER_MS - 1);
  world.refused(world.checkingOut(bo), 'NO_SEAT');
  const again = world.checkout(anna);
  expect(again).toMatchObject({ joined: true });
  world.release(anna, [again.leases[0]!.jti]);
  world.restart();
  world.pass(LINGER_MS);
  world.checkout(bo);
});

test.each(['before', 'after'])(
  'a seat set aside for somebody else %s its release does not linger: it goes to them',
  (when) => {
    const { world, anna, bo } = studio('process', 1);
    const email = 'bo@studio.example';
    const assign = () =>
      world.ok({ type: 'assign', ...world.admin(), email, product: 'render', quantity: 1, endMs: null });
    const { leases } = world.checkout(anna);
    if (when === 'before') assign();
    world.release(anna, [leases[0]!.jti]);
    if (when === 'after') assign();
    world.refused(world.checkingOut(anna), 'NO_SEAT');
    world.checkout(bo);
  },
);
