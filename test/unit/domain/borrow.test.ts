import { describe, expect, test } from 'vitest';
import { DAY_MS, START_MS, WINDOW_MS, World } from './world.js';

const render = { product: 'render', endMs: null };

describe('borrow', () => {
  function borrowed(claims = {}): { world: World; a: string; lease: string; freeAtMs: number } {
    const world = new World();
    world.import({ seats: 2, borrow: { maxSeconds: 86_400, seats: 1 }, ...claims });
    const a = world.user('a');
    world.ok({ type: 'assign', ...world.admin(), email: 'a@studio.example', ...render, quantity: 1 });
    const { leases, freeAtMs } = world.ok(world.borrowing(a, 3600));
    return { world, a, lease: leases[0]!.jti, freeAtMs };
  }
  const text =
    'The source user a@studio.example has borrowed licenses for offline use. To reallocate them, the borrowing period should first expire or the user should release them for offline use.';

  test('frees at exp + sigma + 2 rho (exp - iat), over a restart, not by the monotonic clock', () => {
    const { world, freeAtMs } = borrowed();
    expect(freeAtMs).toBe(START_MS + 3_600_000 + 15 * 60_000 + 7_200);
    world.pass(WINDOW_MS * 3);
    world.restart();
    world.pass(freeAtMs - world.now.wallMs - 1);
    expect(world.usage()).toMatchObject({ borrowed: 1 });
    world.pass(1);
    expect(world.usage()).toMatchObject({ borrowed: 0, free: 2 });
  });

  test('a seat in use is not borrowed from an entitlement that became smaller than what is borrowed of it (model, seed 75653082)', () => {
    const world = new World();
    const borrow = { maxSeconds: 86_400, seats: 2 };
    world.import({ jti: 'small', seats: 2, borrow });
    const [a, b] = [world.user('a'), world.user('b')];
    world.ok(world.borrowing(a, 3600));
    world.checkout(b);
    world.import({ jti: 'other', seats: 4, borrow });
    world.import({ jti: 'small', rev: 2, seats: 1, borrow });
    expect(world.usage()).toMatchObject({ owned: 5, used: 2, over: 0 });
    const { leases } = world.ok(world.borrowing(b, 3600));
    expect(leases[0]!.ent).toBe('other');
  });

  test('is not freed by a forward jump of the wall clock (I5)', () => {
    const { world, freeAtMs } = borrowed();
    world.now = { ...world.now, wallMs: freeAtMs + DAY_MS, steadyWallMs: START_MS + 5 * 60_000 };
    world.tick();
    expect(world.usage()).toMatchObject({ borrowed: 1 });
  });

  test('is the one thing in the way of a removal: --pending is the way then', () => {
    const world = new World();
    world.import({ seats: 2, borrow: { maxSeconds: 86_400, seats: 1 } });
    world.ok(world.borrowing(world.user('a'), 3600));
    const next = expect.stringContaining('--pending');
    const user = { type: 'removeUser', ...world.admin(), email: 'a@studio.example' } as const;
    expect(world.refused(user, 'BORROWED')).toMatchObject({ next });
    const entitlement = { type: 'removeEntitlement', ...world.admin(), id: 'ent-1' } as const;
    expect(world.refused(entitlement, 'BORROWED')).toMatchObject({ next });
  });

  test('blocks revoke, user removal and entitlement removal with the text of PRODUCT.md and the moment it ends', () => {
    const { world, a, lease, freeAtMs } = borrowed();
    const detail = { email: 'a@studio.example', untilMs: freeAtMs };
    const next = expect.stringContaining('--pending');
    const revoke = { type: 'revoke', email: 'a@studio.example', ...render, quantity: 1 } as const;
    expect(world.refused({ ...revoke, ...world.admin() }, 'BORROWED')).toMatchObject({
      ...{ message: text, detail, next },
    });
    const removeUser = { type: 'removeUser', email: 'a@studio.example' } as const;
    // Where seats are set aside, which would be the next refusal, --pending is not the way.
    const refusedUser = world.refused({ ...removeUser, ...world.admin() }, 'BORROWED');
    expect(refusedUser).toMatchObject({ message: text, detail });
    expect(refusedUser.next ?? '').not.toContain('--pending');
    const removeEntitlement = { type: 'removeEntitlement', id: 'ent-1' } as const;
    const refusedEntitlement = world.refused({ ...removeEntitlement, ...world.admin() }, 'BORROWED');
    expect(refusedEntitlement).toMatchObject({ message: text, detail });
    expect(refusedEntitlement.next ?? '').not.toContain('--pending');
    world.refused({ type: 'revokeLease', ...world.admin(), lease, reason: '' }, 'BORROWED');
    world.refused(
      world.importing({
        rev: 2,
        seats: 2,
        exp: Math.floor(freeAtMs / 1000) - 1,
      }),
      'BORROWED',
    );
    world.ok({ type: 'return', ...world.by(a), leases: [lease] });
    world.ok({ ...revoke, ...world.admin() });
    world.ok({ ...removeUser, ...world.admin() });
    world.ok({ ...removeEntitlement, ...world.admin() });
  });

  test('can be returned by its own device only; at expiry where the entitlement says so', () => {
    const { world, lease, freeAtMs, a } = borrowed({ earlyReturn: 'at-expiry' });
    const b = world.user('b');
    world.refused({ type: 'return', ...world.by(b), leases: [lease] }, 'BORROW_UNKNOWN');
    expect(world.ok({ type: 'return', ...world.by(a), leases: [lease] }).returned).toEqual([
      { lease, freeAtMs },
    ]);
    expect(world.usage()).toMatchObject({ borrowed: 1 });
  });

  test('converts the seat the device holds, and extends its own borrow: one seat all along', () => {
    const world = new World();
    world.import({ seats: 1, borrow: { maxSeconds: 86_400, seats: 1 } });
    const a = world.user('a');
    const online = world.checkout(a).leases[0]!;
    const first = world.ok(world.borrowing(a, 3600)).leases[0]!;
    const second = world.ok(world.borrowing(a, 7200)).leases[0]!;
    expect([first.seat, second.seat]).toEqual([online.seat, online.seat]);
    expect(world.usage()).toMatchObject({ owned: 1, borrowed: 1, inUse: 0 });
    world.release(a, [online.jti]);
    world.ok({ type: 'return', ...world.by(a), leases: [first.jti] });
    expect(world.usage()).toMatchObject({ borrowed: 1 });
    world.ok({ type: 'return', ...world.by(a), leases: [second.jti] });
    expect(world.usage()).toMatchObject({ borrowed: 0, free: 1 });
  });

  test('an extension that is returned alone frees nothing while the earlier token is good (I1)', () => {
    const world = new World();
    world.import({ seats: 1, borrow: { maxSeconds: 86_400, seats: 1 } });
    const [a, b] = [world.user('a'), world.user('b')];
    const lost = world.borrowing(a, 3600);
    const first = world.ok(lost).leases[0]!;
    // Another process of the device knows nothing of it: its answer has not arrived.
    const second = world.ok(world.borrowing(a, 7200)).leases[0]!;
    world.ok({ type: 'return', ...world.by(a), leases: [second.jti] });
    expect(world.ok(lost).leases).toEqual([first]);
    world.refused(world.checkingOut(b), 'NO_SEAT');
    world.ok({ type: 'return', ...world.by(a), leases: [first.jti] });
    world.ok(world.checkingOut(b));
  });

  test('at most 64 borrows of one seat at once: each is a row that a client asked for', () => {
    const world = new World();
    world.import({ seats: 1, borrow: { maxSeconds: 86_400, seats: 1 } });
    const a = world.user('a');
    for (let nth = 0; nth < 64; nth++) world.ok(world.borrowing(a, 3600 + nth));
    world.refused(world.borrowing(a, 7200), 'BORROW_LIMIT');
    world.pass(2 * 3_600_000);
    world.ok(world.borrowing(a, 3600));
    expect(world.usage()).toMatchObject({ borrowed: 1 });
  });

  test('keeps to the limits of the entitlement and to its end', () => {
    const world = new World();
    world.import({ seats: 3, borrow: { maxSeconds: 7200, seats: 1 }, exp: (START_MS + 7_200_000) / 1000 });
    const [a, b] = [world.user('a'), world.user('b')];
    const tooLong = world.refused(world.borrowing(a, 7200), 'BORROW_TOO_LONG');
    const { maxSeconds } = tooLong.detail as { maxSeconds: number };
    world.refused(world.borrowing(a, maxSeconds + 1), 'BORROW_TOO_LONG');
    world.ok(world.borrowing(a, maxSeconds));
    world.refused(world.borrowing(b, 60), 'BORROW_LIMIT');
    world.import({ jti: 'ent-2', product: 'fixed', borrow: undefined as never });
    world.refused({ ...world.borrowing(b, 60), product: 'fixed' }, 'BORROW_NOT_ALLOWED');
  });

  test('converting a seat counts against the limit of borrowed seats', () => {
    const world = new World();
    world.import({ seats: 2, borrow: { maxSeconds: 86_400, seats: 1 } });
    const [a, b] = [world.user('a'), world.user('b')];
    world.checkout(b);
    world.ok(world.borrowing(a, 60));
    world.refused(world.borrowing(b, 60), 'BORROW_LIMIT');
  });

  test('is refused to a client whose clock is off by more than half of sigma (I3)', () => {
    const world = new World();
    world.import();
    const a = world.user('a');
    const limitMs = 7.5 * 60_000;
    for (const offMs of [limitMs + 1, -limitMs - 1]) {
      world.refused({ ...world.borrowing(a, 60), clientWallMs: world.now.wallMs + offMs }, 'CLOCK_SKEW');
    }
    world.ok({ ...world.borrowing(a, 60), clientWallMs: world.now.wallMs + limitMs });
  });
});
