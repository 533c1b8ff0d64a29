import { decide } from '@berth/server/domain/decide/decide';
import { allocationId } from '@berth/server/domain/state';
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { DAY_MS, entitlement, START_MS, World } from './world.js';

// Re-allocation (PRODUCT.md, assign): one atomic move from one user to another; the offline block; whom a seat could come from.

const [ANNA, BO] = ['anna@studio.example', 'bo@studio.example'];
let world: World;
let anna: string;
let bo: string;

beforeEach(() => {
  world = new World();
  world.import({ seats: 2, borrow: { maxSeconds: 30 * 86_400, seats: 2 }, display: { number: 'S-1' } });
  [anna, bo] = [world.user('anna'), world.user('bo')];
});

const assign = (email: string, quantity = 1, more: { subscription?: string; endMs?: number } = {}) =>
  ({ type: 'assign', ...world.admin(), email, product: 'render', quantity, endMs: null, ...more }) as const;
const move = (quantity: number | 'all' = 1, more: { subscription?: string; to?: string } = {}) =>
  ({
    type: 'move',
    ...world.admin(),
    email: BO,
    to: ANNA,
    product: 'render',
    quantity,
    endMs: null,
    ...more,
  }) as const;
const allocated = (email: string, ent = 'ent-1') =>
  world.state.tables.allocation.get(allocationId(email, ent))?.quantity ?? 0;

describe('a move', () => {
  test('is whole in one decision: what the source loses the target has', () => {
    world.ok(assign(BO, 2));
    const decision = decide(world.state, move(2), world.context);
    expect(decision).toMatchObject({
      ok: true,
      changes: [
        { type: 'allocation.set', allocation: { email: BO, quantity: 0 } },
        { type: 'allocation.set', allocation: { email: ANNA, quantity: 2 } },
        // In the same commit as what it tells.
        { type: 'mail.queued', mail: { to: BO, facts: [{ kind: 'revoked' }] } },
        { type: 'mail.queued', mail: { to: ANNA, facts: [{ kind: 'assigned' }] } },
        { type: 'request.kept' },
      ],
    });
    expect(world.ok(move(2))).toMatchObject({ moved: 2, left: 0, leasesRevoked: 0 });
    expect([allocated(BO), allocated(ANNA)]).toEqual([0, 2]);
  });

  test('ends the lease of a seat in use; its new user gets it when it is next free', () => {
    world.ok(assign(BO, 2));
    const [lease] = world.checkout(bo, 2).leases;
    expect(world.ok(move())).toMatchObject({ moved: 1, left: 1, leasesRevoked: 1 });
    world.refused(world.checkingOut(anna), 'NO_SEAT');
    world.release(bo, [lease!.jti], [lease!.jti]);
    world.checkout(anna);
  });

  test('takes the idle seat before the one in use', () => {
    world.ok(assign(BO, 2));
    world.checkout(bo);
    expect(world.ok(move())).toMatchObject({ leasesRevoked: 0 });
    world.checkout(anna);
  });

  test('charges what the target uses of the shared seats', () => {
    world.ok(assign(BO));
    world.checkout(anna);
    expect(world.ok(move())).toMatchObject({ allocations: [{ email: ANNA, quantity: 1, inUse: 1 }] });
    expect(world.usage()).toMatchObject({ allocated: 1, used: 1, free: 1 });
    world.checkout(bo);
  });

  test('of an entitlement that is named, else of the one that ends last', () => {
    const exp = (START_MS + 50 * DAY_MS) / 1000;
    world.import({ jti: 'ent-2', seats: 1, exp, display: { number: 'S-2' } });
    world.ok(assign(BO));
    world.ok(assign(BO, 1, { subscription: 'S-2' }));
    world.ok(move());
    expect([allocated(ANNA, 'ent-1'), allocated(ANNA, 'ent-2')]).toEqual([1, 0]);
    world.refused(move(1, { subscription: 'S-3' }), 'ALLOCATION_UNKNOWN');
    world.ok(move(1, { subscription: 'ent-2' }));
    expect(allocated(ANNA, 'ent-2')).toBe(1);
  });
});

describe('refused', () => {
  test('while it would take a borrowed seat, with the text of PRODUCT.md and the moment it ends', () => {
    world.ok(assign(BO, 2));
    const { freeAtMs } = world.ok(world.borrowing(bo, 3600));
    world.ok(move());
    const denial = world.refused(move(), 'BORROWED');
    expect(denial.message).toBe(
      'The source user bo@studio.example has borrowed licenses for offline use. To reallocate them, the borrowing period should first expire or the user should release them for offline use.',
    );
    expect(denial.detail).toEqual({ email: BO, untilMs: freeAtMs });
    world.refused(move('all'), 'BORROWED');
    expect([allocated(BO), allocated(ANNA)]).toEqual([1, 1]);
    world.pass(freeAtMs - world.now.wallMs);
    world.ok(move('all'));
  });

  test('of what is not there, to oneself, to nobody, of a personal licence', () => {
    expect(world.refused(move(), 'ALLOCATION_UNKNOWN').detail).toMatchObject({ allocated: 0 });
    world.ok(assign(BO));
    expect(world.refused(move(2), 'ALLOCATION_UNKNOWN').detail).toMatchObject({ allocated: 1 });
    world.refused(move(1, { to: BO }), 'PARAMS_INVALID');
    world.refused(move(1, { to: 'nobody@studio.example' }), 'USER_UNKNOWN');
    world.import({ jti: 'ent-p', product: 'paint', seats: 1, holder: BO });
    world.refused({ ...move(), product: 'paint' }, 'PERSONAL');
  });

  test('to somebody who is about to go, or from whom the same seats are to go', () => {
    world.ok(assign(BO));
    world.ok(assign(ANNA));
    world.ok(world.borrowing(anna, 3600));
    const pending = { ...world.admin(), email: ANNA, when: 'pending' } as const;
    world.ok({ type: 'revoke', ...pending, product: 'render', quantity: 1, endMs: null });
    world.refused(move(), 'REVOKE_PENDING');
    world.ok({ type: 'removeUser', ...pending, ...world.admin() });
    world.refused(move(), 'REVOKE_PENDING');
  });
});

test('a full product names whom a seat could come from, idle ones first', () => {
  world.ok(assign(ANNA));
  world.ok(assign(BO));
  world.checkout(anna);
  world.user('cem');
  const denial = world.refused(assign('cem@studio.example'), 'ALL_ALLOCATED');
  expect(denial.detail).toMatchObject({
    allocatedTo: [
      { email: BO, quantity: 1, idle: 1 },
      { email: ANNA, quantity: 1, idle: 0 },
    ],
  });
  expect(denial.next).toContain(`berth license move ${BO} render --to`);
  // Nobody's seat can come from themselves.
  expect(world.refused(assign(BO), 'ALL_ALLOCATED').detail).toMatchObject({
    allocatedTo: [{ email: ANNA, quantity: 1, idle: 0 }],
  });
});

test('nobody is told to move a seat that is in use: all of them are', () => {
  world.ok(assign(ANNA));
  world.ok(assign(BO));
  for (const device of [anna, bo]) world.checkout(device);
  const denial = world.refused(assign(BO), 'ALL_ALLOCATED');
  expect(denial.detail).toMatchObject({ allocatedTo: [{ email: ANNA, idle: 0 }] });
  expect(denial.next).toContain('berth license list');
  expect(denial.next).not.toContain('berth license move');
});

test('an assignment names its subscription; one that is unknown is answered with those there are', () => {
  world.ok(assign(ANNA, 1, { subscription: 'S-1' }));
  const denial = world.refused(assign(ANNA, 1, { subscription: 'S-9' }), 'ENTITLEMENT_UNKNOWN');
  expect(denial.detail).toMatchObject({ subscriptions: ['S-1'] });
  const day = { subscription: 'S-1', endMs: world.now.wallMs - (world.now.wallMs % DAY_MS) + DAY_MS };
  const other = world.refused(assign(ANNA, 1, day), 'ENTITLEMENT_UNKNOWN');
  expect(other.message).toContain('S-1 does not end that day');
  expect([other.detail?.ends, other.next]).toEqual([
    [expect.stringMatching(/^\d{4}-\d\d-\d\d$/)],
    expect.not.stringContaining('S-1'),
  ]);
});

test('two admins move the same seat: one wins, the other is told what there is', () => {
  world.ok(assign(BO));
  world.ok(move());
  expect(world.refused(move(), 'ALLOCATION_UNKNOWN').message).toContain('bo@studio.example has no seats');
});

test('whatever is moved while seats come and go, nothing is lost, doubled or over-issued', () => {
  const emails = [ANNA, BO] as const;
  const step = fc.record({
    do: fc.constantFrom('assign', 'move', 'checkout', 'borrow', 'release', 'revoke', 'pass'),
    from: fc.constantFrom(0, 1),
    seats: fc.integer({ min: 1, max: 2 }),
    linger: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
      world = new World();
      world.import({ seats: 3, borrow: { maxSeconds: 86_400, seats: 2 } });
      world.send(world.importing({ ...entitlement(), jti: 'ent-2', seats: 1 }));
      const devices = [world.user('anna'), world.user('bo')] as const;
      const settings = { lingerSeconds: 60 };
      if (steps[0]?.linger) world.ok({ type: 'setPool', ...world.admin(), product: 'render', settings });
      for (const { do: what, from, seats } of steps) {
        const [email, to] = [emails[from]!, emails[1 - from]!];
        const asked = { ...world.admin(), email, product: 'render', quantity: seats, endMs: null };
        const before = world.usage();
        if (what === 'assign') world.send({ type: 'assign', ...asked });
        else if (what === 'move') world.send({ type: 'move', ...asked, to });
        else if (what === 'revoke') world.send({ type: 'revoke', ...asked });
        else if (what === 'checkout') world.send(world.checkingOut(devices[from]!, seats));
        else if (what === 'borrow') world.send(world.borrowing(devices[from]!, 3600, seats));
        else if (what === 'pass') world.pass(100_000);
        else {
          const mine = [...world.state.tables.lease.values()].filter(
            ({ device, claims }) => device === devices[from] && claims.kind === 'online',
          );
          const ids = mine.map(({ claims }) => claims.jti);
          if (ids.length > 0) world.release(devices[from]!, ids, ids);
        }
        const after = world.usage();
        expect(after.over).toBe(0);
        if (what !== 'move') continue;
        expect(after.allocated).toBe(before.allocated);
        expect(after.borrowed).toBe(before.borrowed);
      }
    }),
    { numRuns: 150 },
  );
});
