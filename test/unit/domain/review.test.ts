import { describe, expect, test } from 'vitest';
import { DAY_MS, START_MS, VENDOR_KEY, WINDOW_MS, World } from './world.js';

// Each of these once went wrong: found by review, kept so that it stays mended.

const render = { product: 'render', endMs: null };
const inSeconds = (ms: number): number => Math.floor(ms / 1000);

function assign(world: World, name: string, quantity = 1): void {
  world.ok({ type: 'assign', ...world.admin(), email: `${name}@studio.example`, ...render, quantity });
}

describe('endings that fall together', () => {
  test('a seat and its entitlement, both over when the server comes back', () => {
    const world = new World();
    world.import({ seats: 2, exp: inSeconds(START_MS + 2 * DAY_MS) });
    const a = world.user('a');
    assign(world, 'a');
    world.ok(world.borrowing(a, 3600));
    world.checkout(a);
    world.now = { ...world.now, wallMs: START_MS + 3 * DAY_MS };
    world.restart();
    world.pass(WINDOW_MS);
    expect(world.usage()).toMatchObject({ owned: 0, inUse: 0, borrowed: 0, over: 0 });
    world.import({ rev: 2, seats: 2, exp: inSeconds(START_MS + 9 * DAY_MS) });
    world.checkout(a, 2);
  });
});

describe('renewals that move', () => {
  test('never move two seats into the same free one', () => {
    const world = new World();
    world.import({ seats: 2, exp: inSeconds(START_MS + 300_000) });
    const a = world.user('a');
    const leases = [world.checkout(a).leases[0]!.jti, world.checkout(a).leases[0]!.jti];
    world.import({ jti: 'ent-2', seats: 1 });
    world.pass(100_000);
    world.renew(a, leases);
    world.pass(100_000);
    const codes = world.renew(a, leases).leases.map((row) => ('code' in row ? row.code : row.claims.ent));
    expect(codes).toEqual(['ent-2', 'ENTITLEMENT_EXPIRED']);
    world.pass(100_001);
    world.renew(a, leases.slice(0, 1));
    expect(world.usage()).toMatchObject({ owned: 1, inUse: 1, over: 0 });
  });

  test('count seats that are held on an entitlement that is gone', () => {
    const world = new World();
    world.import({ jti: 'gone', seats: 1 });
    const [a, b] = [world.user('a'), world.user('b')];
    world.checkout(b);
    world.import({ seats: 1, exp: inSeconds(START_MS + 140_000) });
    const lease = world.checkout(a).leases[0]!.jti;
    world.import({ jti: 'ent-2', seats: 1 });
    world.ok({ type: 'removeEntitlement', ...world.admin(), id: 'gone' });
    world.pass(20_000);
    expect(world.renew(a, [lease]).leases).toEqual([{ lease, code: 'ENTITLEMENT_EXPIRED' }]);
  });

  test('do not carry the excess of an entitlement that shrank: the oldest seats stay', () => {
    const world = new World();
    world.import({ seats: 2 });
    const [a, b] = [world.user('a'), world.user('b')];
    const first = world.checkout(a).leases[0]!.jti;
    world.pass(1000);
    const second = world.checkout(b).leases[0]!.jti;
    world.import({ rev: 2, seats: 1 });
    expect(world.renew(b, [second]).leases).toEqual([{ lease: second, code: 'ENTITLEMENT_EXPIRED' }]);
    expect(world.renew(a, [first]).leases).toMatchObject([{ claims: { jti: first } }]);
    world.pass(WINDOW_MS - 1000);
    world.renew(a, [first]);
    world.pass(1000);
    expect(world.usage()).toMatchObject({ owned: 1, inUse: 1, over: 0 });
  });

  test('judge joined leases by the longest of them', () => {
    const world = new World();
    world.import({ seats: 1, share: 'device', exp: inSeconds(START_MS + 200_000) });
    const a = world.user('a');
    world.leaseSeconds = 2;
    const short = world.checkout(a).leases[0]!.jti;
    world.leaseSeconds = 60;
    const long = world.checkout(a).leases[0]!.jti;
    world.pass(10_000);
    world.renew(a, [short, long]);
    for (let i = 0; i < 13; i++) {
      world.pass(10_000);
      world.renew(a, [short, long]);
    }
    expect(world.renew(a, [long]).leases).toEqual([{ lease: long, code: 'ENTITLEMENT_EXPIRED' }]);
    world.pass(60_000);
    expect(world.usage()).toMatchObject({ owned: 0, over: 0 });
  });
});

describe('imports', () => {
  test('a replaced entitlement never comes back', () => {
    const world = new World();
    world.import();
    world.import({ jti: 'ent-2', replaces: 'ent-1' });
    world.refused({ type: 'removeEntitlement', ...world.admin(), id: 'ent-1' }, 'ENTITLEMENT_SUPERSEDED');
    world.refused(world.importing(), 'ENTITLEMENT_SUPERSEDED');
    const other = new World();
    other.import();
    other.ok({ type: 'removeEntitlement', ...other.admin(), id: 'ent-1' });
    other.import({ jti: 'ent-2', replaces: 'ent-1' });
    other.refused(other.importing(), 'ENTITLEMENT_SUPERSEDED');
    expect(other.usage().owned).toBe(3);
  });

  const later = inSeconds(START_MS + DAY_MS);
  test.each([
    ['a revision that starts later', { rev: 2, nbf: later }],
    ['a revision without borrowing', { rev: 2, borrow: undefined as never }],
    ['a revision that ends before the borrow', { rev: 2, exp: inSeconds(START_MS + 3_700_000) }],
    ['a revision for another holder', { rev: 2, holder: 'b@studio.example' }],
    ['a replacement that starts later', { jti: 'ent-2', replaces: 'ent-1', nbf: later }],
    ['a replacement without borrowing', { jti: 'ent-2', replaces: 'ent-1', borrow: undefined as never }],
    [
      'a replacement that ends before the borrow',
      { jti: 'ent-2', replaces: 'ent-1', exp: inSeconds(START_MS + 3_700_000) },
    ],
    ['a replacement for another holder', { jti: 'ent-2', replaces: 'ent-1', holder: 'b@studio.example' }],
  ])('%s does not take a borrowed seat away (I8)', (_what, claims) => {
    const world = new World();
    world.import();
    const a = world.user('a');
    world.ok(world.borrowing(a, 3600));
    world.refused(world.importing(claims), 'BORROWED');
    expect(world.usage()).toMatchObject({ owned: 3, borrowed: 1, over: 0 });
  });

  test('keep allocations whole, in number and in holder', () => {
    const world = new World();
    world.import({ seats: 3 });
    world.user('a');
    assign(world, 'a', 2);
    world.refused(world.importing({ rev: 2, holder: 'b@studio.example' }), 'ALLOCATED');
    world.refused(world.importing({ rev: 2, seats: 1 }), 'ALLOCATED');
    world.import({ jti: 'ent-2', seats: 2, exp: inSeconds(START_MS + 200 * DAY_MS) });
    assign(world, 'a', 2);
    world.refused(world.importing({ jti: 'ent-2', rev: 2, seats: 3, replaces: 'ent-1' }), 'ALLOCATED');
    world.import({ jti: 'ent-2', rev: 2, seats: 4, replaces: 'ent-1' });
    expect(world.usage()).toMatchObject({ owned: 4, allocated: 4 });
  });

  test('an allocation on an entitlement that starts later can be revoked', () => {
    const world = new World();
    world.import();
    world.user('a');
    assign(world, 'a');
    // What is in force is not exchanged for what begins later; but a clock may be set back before it began.
    world.refused(world.importing({ rev: 2, nbf: later }), 'ENTITLEMENT_CONFLICT');
    world.now = { ...world.now, wallMs: START_MS - 2 * DAY_MS };
    world.ok({ type: 'revoke', ...world.admin(), email: 'a@studio.example', ...render, quantity: 'all' });
    world.ok({ type: 'removeUser', ...world.admin(), email: 'a@studio.example' });
  });

  test("a personal entitlement that changes its holder is the new one's after a window", () => {
    const world = new World();
    const [a, b] = [world.user('a'), world.user('b')];
    world.import({ seats: 1, holder: 'a@studio.example' });
    const lease = world.checkout(a).leases[0]!.jti;
    world.import({ rev: 2, seats: 1, holder: 'b@studio.example' });
    expect(world.renew(a, [lease]).leases).toEqual([{ lease, code: 'LEASE_REVOKED' }]);
    world.pass(WINDOW_MS);
    world.checkout(b);
    world.refused(world.checkingOut(a), 'NO_SEAT');
  });
});

describe('borrows', () => {
  test('are refused while more is in use than owned: the excess only shrinks', () => {
    const world = new World();
    world.import({ borrow: { maxSeconds: 86_400, seats: 3 } });
    const a = world.user('a');
    world.checkout(a);
    world.checkout(a);
    world.import({ rev: 2, seats: 1, borrow: { maxSeconds: 86_400, seats: 1 } });
    expect(world.refused(world.borrowing(a, 60), 'NO_SEAT').detail).toMatchObject({ rule: 'SHRUNK' });
  });

  test('of a group count together against the limit of an entitlement', () => {
    const world = new World();
    world.import({ seats: 2, borrow: { maxSeconds: 86_400, seats: 1 } });
    const a = world.user('a');
    assign(world, 'a');
    expect(world.checkout(a, 2).leases).toHaveLength(2);
    world.refused(world.borrowing(a, 60, 2), 'BORROW_LIMIT');
  });

  test('taken again are on the same seat and never end sooner; the seat is free when both were returned', () => {
    const world = new World();
    world.import();
    const a = world.user('a');
    const first = world.ok(world.borrowing(a, 7200)).leases[0]!;
    const second = world.ok(world.borrowing(a, 60)).leases[0]!;
    expect([second.seat, second.exp]).toEqual([first.seat, first.exp]);
    expect(world.usage()).toMatchObject({ borrowed: 1 });
    world.ok({ type: 'return', ...world.by(a), leases: [second.jti, first.jti] });
    expect(world.usage().free).toBe(3);
  });
});

describe('requests', () => {
  test('that changed nothing are not kept', () => {
    const world = new World();
    world.import();
    const a = world.user('a');
    const before = world.state.tables.request.size;
    world.release(a, ['l-unknown']);
    expect(world.state.tables.request.size).toBe(before);
  });

  test('of borrows are dropped an hour after their end, not a borrow later', () => {
    const world = new World();
    world.import();
    const a = world.user('a');
    const before = world.state.tables.request.size;
    const { leases } = world.ok(world.borrowing(a, 20 * 86_400));
    world.ok({ type: 'return', ...world.by(a), leases: [leases[0]!.jti] });
    world.pass(3_600_000);
    expect(world.state.tables.request.size).toBeLessThanOrEqual(before);
  });

  test('a retry gets the first answer, whatever happened since', () => {
    const world = new World();
    world.import();
    world.user('a');
    const assigning = {
      type: 'assign',
      ...world.admin(),
      email: 'a@studio.example',
      ...render,
      quantity: 1,
    } as const;
    const first = world.ok(assigning);
    assign(world, 'a');
    world.ok({ type: 'revoke', ...world.admin(), email: 'a@studio.example', ...render, quantity: 'all' });
    expect(world.ok(assigning)).toEqual(first);
  });
});

describe('people and devices', () => {
  test('an owner who has not joined does not make the last one removable', () => {
    const world = new World();
    const inviting = {
      type: 'invite',
      email: 'o2@studio.example',
      name: null,
      role: 'owner',
      device: false,
      invitationMs: DAY_MS,
    } as const;
    world.ok({ ...inviting, ...world.admin() });
    world.refused({ type: 'removeUser', ...world.admin(), email: 'owner@studio.example' }, 'LAST_OWNER');
  });

  test('a member gets a further device with the same role, and the two share with `share: user`', () => {
    const world = new World();
    world.import({ seats: 1, share: 'user' });
    const a = world.user('a');
    const inviting = {
      type: 'invite',
      email: 'a@studio.example',
      name: null,
      role: null,
      invitationMs: DAY_MS,
    } as const;
    world.refused({ ...inviting, ...world.admin(), device: false }, 'USER_EXISTS');
    const { invitation, user } = world.ok({ ...inviting, ...world.admin(), device: true });
    expect(user).toMatchObject({ role: 'user', state: 'active' });
    const { device } = world.ok({
      type: 'enrol',
      invitation,
      leaseKey: VENDOR_KEY,
      adminKey: null,
      name: 'laptop',
    });
    const { leases } = world.checkout(a);
    expect(world.checkout(device)).toMatchObject({ joined: true, leases: [{ seat: leases[0]!.seat }] });
  });

  test('a revoke takes the idle seat before the running one', () => {
    const world = new World();
    world.import({ seats: 1 });
    world.import({ jti: 'ent-2', seats: 1 });
    const a = world.user('a');
    assign(world, 'a');
    assign(world, 'a');
    world.checkout(a);
    const revoking = {
      type: 'revoke',
      ...world.admin(),
      email: 'a@studio.example',
      ...render,
      quantity: 1,
    } as const;
    expect(world.ok(revoking)).toEqual({ email: 'a@studio.example', revoked: 1, left: 1, leasesRevoked: 0 });
  });

  test('a session is not given more leases than it has places, and the retry of one that filled it is answered', () => {
    const world = new World();
    world.import();
    const a = world.user('a');
    world.refused({ ...world.checkingOut(a), places: 0 }, 'TOO_MANY_LEASES');
    const command = { ...world.checkingOut(a), places: 1 };
    const first = world.ok(command);
    expect(world.ok({ ...command, places: 0 })).toEqual(first);
  });
});
