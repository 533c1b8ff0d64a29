import { errors } from '@berth/protocol';
import { why } from '@berth/server/domain/decide/why';
import { beforeEach, expect, test } from 'vitest';
import { DAY_MS, keyOf, World } from './world.js';

// `berth why`: the answer of a checkout, decided and not carried out (issue 5, part 11).

const [ANNA, BO] = ['anna@studio.example', 'bo@studio.example'];
let world: World;
let anna: string;
let bo: string;

beforeEach(() => {
  world = new World();
  world.import({ seats: 2, share: 'device' });
  [anna, bo] = [world.user('anna'), world.user('bo')];
});

function ask(email: string, seats = 1, product = 'render') {
  const before = JSON.stringify([...world.state.tables.seat.values(), ...world.state.tables.lease.values()]);
  const answer = why(world.state, { email, product, seats }, world.context);
  expect(JSON.stringify([...world.state.tables.seat.values(), ...world.state.tables.lease.values()])).toBe(
    before,
  );
  if ('ok' in answer) throw new Error(answer.code);
  return answer;
}

/** The same as a plugin would be told now. */
function agrees(email: string, device: string, seats = 1): void {
  const { granted, refusal } = ask(email, seats);
  const decision = world.send(world.checkingOut(device, seats));
  expect(granted).toBe(decision.ok);
  if (decision.ok) return;
  const { code, message = errors[code].text, detail = {} } = decision;
  expect(refusal).toMatchObject({
    code,
    message,
    holders: detail.holders ?? [],
    nextFreeAtMs: detail.nextFreeAtMs ?? null,
  });
  expect(refusal!.rule).toBe(detail.rule);
}

test('yes: from the shared seats, from those set aside, or by sharing one in use', () => {
  expect(ask(ANNA)).toMatchObject({
    granted: true,
    device: 'anna-pc',
    from: [{ allocated: false, how: 'taken' }],
  });
  world.ok({ type: 'assign', ...world.admin(), email: ANNA, product: 'render', quantity: 1, endMs: null });
  expect(ask(ANNA)).toMatchObject({
    from: [{ entitlement: 'ent-1', allocated: true, seats: 1 }],
    own: { quantity: 1, inUse: 0 },
  });
  world.checkout(anna);
  expect(ask(ANNA)).toMatchObject({
    granted: true,
    from: [{ how: 'joined', allocated: true }],
    own: { inUse: 1 },
  });
});

test('no: which rule, who holds what, when one is free, as a plugin would be told', () => {
  world.checkout(bo, 2);
  const { granted, refusal, pool } = ask(ANNA);
  expect([granted, pool.free]).toEqual([false, 0]);
  expect(refusal).toMatchObject({ code: 'NO_SEAT', rule: 'ALL_IN_USE', holders: [{ user: BO, seats: 2 }] });
  expect(refusal!.nextFreeAtMs).toBeGreaterThan(world.now.wallMs);
  agrees(ANNA, anna);
});

test.each([
  ['too many', () => {}, 3],
  [
    'allocated to another',
    () => {
      world.ok({ type: 'assign', ...world.admin(), email: BO, product: 'render', quantity: 2, endMs: null });
    },
    1,
  ],
  [
    'sharing off',
    () => {
      world.ok({ type: 'setSharing', ...world.admin(), on: false, product: null, running: 'drain' });
    },
    1,
  ],
  [
    'others wait',
    () => {
      world.awaited = new Map([['render', 2]]);
    },
    1,
  ],
  [
    'disk low',
    () => {
      world.diskLow = true;
    },
    1,
  ],
  ['ended', () => world.pass(101 * DAY_MS), 1],
] as const)('as a checkout is decided: %s', (_, arrange, seats) => {
  arrange();
  expect(ask(ANNA, seats).granted).toBe(false);
  agrees(ANNA, anna, seats);
});

test('of several devices the one that would get a seat counts', () => {
  const asked = { email: ANNA, name: null, role: null, device: true, invitationMs: DAY_MS };
  const { invitation } = world.ok({ type: 'invite', ...world.admin(), ...asked });
  const laptop = world.ok({
    type: 'enrol',
    invitation,
    leaseKey: keyOf('laptop'),
    adminKey: null,
    name: 'laptop',
  });
  world.checkout(laptop.device);
  world.checkout(bo);
  expect(ask(ANNA)).toMatchObject({ granted: true, device: 'laptop', from: [{ how: 'joined' }] });
});

test('who has not joined is told so, and what there would be; nobody and nothing are unknown', () => {
  const email = 'new@studio.example';
  const asked = { email, name: null, role: null, device: false, invitationMs: DAY_MS };
  world.ok({ type: 'invite', ...world.admin(), ...asked });
  expect(ask(email)).toMatchObject({
    granted: false,
    device: null,
    from: [{ how: 'taken', seats: 1 }],
    refusal: { code: 'NOT_JOINED' },
  });
  world.checkout(bo, 2);
  expect(ask(email)).toMatchObject({ from: [], refusal: { code: 'NO_SEAT' } });
  const unknown = (email: string, product: string) =>
    why(world.state, { email, product, seats: 1 }, world.context);
  expect(unknown('nobody@studio.example', 'render')).toMatchObject({ code: 'USER_UNKNOWN' });
  expect(unknown(ANNA, 'none')).toMatchObject({ code: 'PRODUCT_UNKNOWN' });
});

test('where no seat that comes free could be theirs, no moment is promised', () => {
  const giveBo = (quantity: number) =>
    world.ok({ type: 'assign', ...world.admin(), email: BO, product: 'render', quantity, endMs: null });
  world.checkout(bo, 2);
  giveBo(1);
  expect(ask(ANNA).refusal).toMatchObject({ rule: 'ALL_IN_USE', nextFreeAtMs: expect.any(Number) });
  giveBo(1);
  const vain = { holders: [{ user: BO }], nextFreeAtMs: null, next: 'Ask an admin for an allocation.' };
  expect(ask(ANNA).refusal).toMatchObject({ rule: 'ALL_IN_USE', ...vain });
  agrees(ANNA, anna);
  world.ok({ type: 'setSharing', ...world.admin(), on: false, product: null, running: 'drain' });
  expect(ask(ANNA).refusal).toMatchObject({ rule: 'SHARING_OFF', ...vain });
  agrees(ANNA, anna);
});

test('what is decided already counts: seats that a pending revoke frees', () => {
  const which = { email: BO, product: 'render', endMs: null } as const;
  world.ok({ type: 'assign', ...world.admin(), ...which, quantity: 2 });
  world.ok(world.borrowing(bo, 3600, 2));
  world.ok({ type: 'revoke', ...world.admin(), ...which, quantity: 'all', when: 'pending' });
  expect(ask(ANNA).refusal).toMatchObject({ rule: 'ALL_IN_USE', nextFreeAtMs: expect.any(Number) });
});

test('what is borrowed goes on whatever a checkout is told, and a revoke that is pending is said', () => {
  world.import({ jti: 'ent-2', product: 'comp', seats: 1, borrow: { maxSeconds: 86_400, seats: 1 } });
  const product = 'comp';
  world.ok({ type: 'assign', ...world.admin(), email: ANNA, product, quantity: 1, endMs: null });
  world.ok({ ...world.borrowing(anna, 3600), product });
  const revoke = { email: ANNA, product, quantity: 1, endMs: null, when: 'pending' } as const;
  world.ok({ type: 'revoke', ...world.admin(), ...revoke });
  const untilMs = expect.any(Number);
  const borrows = [{ device: 'anna-pc', seats: 1, untilMs: world.now.wallMs + 3_600_000 }];
  expect(ask(ANNA, 2, product)).toMatchObject({
    granted: false,
    own: { quantity: 1, borrowed: 1, revoking: { seats: 1, untilMs } },
    borrows,
  });
  expect(ask(BO, 1, product).borrows).toBeUndefined();
  world.ok({ type: 'removeUser', ...world.admin(), email: ANNA, when: 'pending' });
  expect(ask(ANNA, 1, product)).toMatchObject({ refusal: { code: 'REVOKE_PENDING' }, borrows });
  world.pass(3_600_000);
  expect(ask(ANNA, 1, product).borrows).toBeUndefined();
});

test('what an admin can do: what an assignment would be told, and whom a seat could come from', () => {
  const assign = (email: string, quantity: number, product = 'render') =>
    world.ok({ type: 'assign', ...world.admin(), email, product, quantity, endMs: null });
  world.checkout(bo, 2);
  expect(ask(ANNA).advice).toEqual([expect.stringMatching(/theirs: berth license assign anna@\S+ render$/)]);
  expect(ask(ANNA, 2).advice).toEqual([expect.stringMatching(/render --quantity 2$/)]);
  assign(ANNA, 1);
  // One is set aside for her: another assignment is not what helps.
  expect(ask(ANNA)).toMatchObject({
    refusal: { rule: 'ALL_IN_USE', next: expect.stringContaining('a seat is set aside for you') },
  });
  expect(ask(ANNA)).not.toHaveProperty('advice');
  agrees(ANNA, anna);
});

test('seats that are set aside for others: who they are, and the move', () => {
  world.ok({ type: 'assign', ...world.admin(), email: BO, product: 'render', quantity: 2, endMs: null });
  expect(ask(ANNA)).toMatchObject({
    refusal: { rule: 'ALLOCATED_TO_OTHERS' },
    allocatedTo: [{ email: BO, quantity: 2, idle: 2 }],
    advice: [expect.stringContaining(`berth license move ${BO} render --to ${ANNA}`)],
  });
});

test('sharing that is off, a product that has not begun, a personal one: each says what is true of it', () => {
  world.ok({ type: 'setSharing', ...world.admin(), on: false, product: null, running: 'drain' });
  const [share, assign] = ask(ANNA).advice!;
  expect([share, assign]).toMatchObject([
    expect.stringContaining('berth sharing on --product render'),
    expect.stringContaining(`berth license assign ${ANNA} render`),
  ]);
  // What is set aside for others is not shared by that.
  world.ok({ type: 'assign', ...world.admin(), email: BO, product: 'render', quantity: 2, endMs: null });
  expect(ask(ANNA).advice).toEqual([expect.stringContaining('berth license move')]);
  const nbf = Math.floor(world.now.wallMs / 1000) + 86_400 * 3;
  world.import({ jti: 'ent-2', product: 'later', seats: 1, nbf });
  const day = new Date(nbf * 1000).toISOString().slice(0, 10);
  expect(ask(ANNA, 1, 'later')).toMatchObject({
    refusal: { rule: 'NOT_ENTITLED', next: `Wait: its seats begin on ${day}.` },
    advice: [expect.stringContaining(day)],
  });
  world.import({ jti: 'ent-3', product: 'solo', seats: 1, holder: BO });
  expect(ask(ANNA, 1, 'solo')).toMatchObject({
    refusal: { next: expect.stringContaining('ask the vendor for one') },
    advice: [expect.stringContaining('Every seat of solo is personal')],
  });
  expect(ask(BO, 1, 'solo')).toMatchObject({ granted: true });
});
