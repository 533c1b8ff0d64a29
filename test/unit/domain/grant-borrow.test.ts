import type { Command } from '@berth/server/domain/commands';
import { beforeEach, expect, test } from 'vitest';
import { keyOf, SERVER_KEY, World } from './world.js';

// Borrows of machines that no network reaches: an admin carries the request (PROTOCOL 4.9).

const ANNA = 'anna@studio.example';
const DAY_MS = 86_400_000;
let world: World;

beforeEach(() => {
  world = new World();
  world.import({ seats: 3, borrow: { maxSeconds: 30 * 86_400, seats: 2 } });
  world.user('anna');
});

function granting(more: Partial<Command<'grantBorrow'>> = {}): Command<'grantBorrow'> {
  const { by } = world.admin();
  const nonce = more.nonce ?? 'n'.repeat(22);
  return {
    type: 'grantBorrow',
    by,
    request: { device: `offline ${keyOf('cave')}`, key: nonce, hash: 'hash' },
    ...{ leaseKey: keyOf('cave'), name: 'cave-1', email: ANNA, server: null, product: 'render' },
    ...{ seats: 1, seconds: 3600, nonce, requestedAtMs: world.now.wallMs },
    ...more,
  };
}

test('a machine nobody knows is enrolled for the named user and gets its borrow, in one decision', () => {
  const outcome = world.ok(granting());
  expect(outcome).toMatchObject({ email: ANNA, earlyReturn: 'at-once' });
  expect(outcome.leases).toMatchObject([{ kind: 'borrow', n: 1, dev: keyOf('cave') }]);
  expect(world.state.tables.device.get(outcome.device)).toMatchObject({ email: ANNA, adminKey: null });
  expect(world.usage()).toMatchObject({ borrowed: 1, free: 2 });
});

test('an invited user has joined with it', () => {
  const email = 'new@studio.example';
  const invite = { email, name: null, role: null, device: false, invitationMs: 1000 };
  world.ok({ type: 'invite', ...world.admin(), ...invite });
  world.ok(granting({ email }));
  expect(world.state.tables.user.get(email)).toMatchObject({ state: 'active' });
});

test('the same file twice is one seat, also after a restart and after its return (I7)', () => {
  const first = world.ok(granting());
  expect(world.ok(granting({ email: null }))).toEqual(first);
  world.restart();
  const leases = first.leases.map(({ jti }) => jti);
  world.ok({ type: 'return', ...world.by(first.device), leases });
  world.pass(6 * DAY_MS);
  expect(world.ok(granting({ requestedAtMs: world.now.wallMs - 6 * DAY_MS }))).toEqual(first);
  expect(world.usage()).toMatchObject({ borrowed: 0, free: 3 });
});

test('the age of the request is added to the hold: a clock that is as far behind doubles nothing (I3)', () => {
  const ageMs = 2 * DAY_MS;
  const prompt = world.ok(granting({ nonce: 'p'.repeat(22), leaseKey: keyOf('other') }));
  const late = world.ok(granting({ requestedAtMs: world.now.wallMs - ageMs }));
  expect(late.leases[0]!.exp).toBe(prompt.leases[0]!.exp);
  expect(late.freeAtMs).toBe(prompt.freeAtMs + ageMs);
  world.restart();
  world.pass(late.freeAtMs - world.now.wallMs - 1);
  expect(world.usage()).toMatchObject({ borrowed: 1 });
  world.pass(1);
  expect(world.usage()).toMatchObject({ borrowed: 0, free: 3 });
});

test('the hold, its age included, ends inside the entitlement', () => {
  const exp = (world.now.wallMs + 3 * DAY_MS) / 1000;
  world.import({ jti: 'ent-2', product: 'comp', exp });
  const comp = { product: 'comp', requestedAtMs: world.now.wallMs - 3 * DAY_MS };
  world.refused(granting(comp), 'BORROW_TOO_LONG');
  world.ok(granting({ product: 'comp' }));
});

test('an extension keeps what the machine has, so that has to end inside the entitlement with the age of the request, too', () => {
  const exp = (world.now.wallMs + 10 * DAY_MS) / 1000;
  world.import({ jti: 'ent-2', product: 'comp', exp });
  const comp = { product: 'comp', nonce: 'a'.repeat(22), seconds: 9 * 86_400 };
  world.ok(granting(comp));
  const old = { product: 'comp', nonce: 'b'.repeat(22), requestedAtMs: world.now.wallMs - 2 * DAY_MS };
  world.refused(granting(old), 'BORROW_TOO_LONG');
  const younger = { ...old, requestedAtMs: world.now.wallMs - DAY_MS / 2 };
  expect(world.ok(granting(younger)).freeAtMs).toBeLessThanOrEqual(exp * 1000);
  expect(world.usage('comp')).toMatchObject({ borrowed: 1 });
});

test('the longest borrow that is named allows for the age of the request', () => {
  const exp = (world.now.wallMs + 3 * DAY_MS) / 1000;
  world.import({ jti: 'ent-2', product: 'comp', exp });
  const comp = { product: 'comp', requestedAtMs: world.now.wallMs - DAY_MS };
  const { detail } = world.refused(granting({ ...comp, seconds: 3 * 86_400 }), 'BORROW_TOO_LONG');
  world.ok(granting({ ...comp, seconds: Number(detail?.maxSeconds) }));
});

test.each([
  ['a week and a moment old', { requestedAtMs: -7 * DAY_MS - 1 }, 'REQUEST_EXPIRED'],
  ['from a clock far ahead', { requestedAtMs: 450_001 }, 'CLOCK_SKEW'],
  ['of nobody', { email: null }, 'DEVICE_UNKNOWN'],
  ['of a stranger', { email: 'x@studio.example' }, 'USER_UNKNOWN'],
  ['for another server', { server: keyOf('elsewhere') }, 'SERVER_MISMATCH'],
  ['for a product nobody has', { product: 'none' }, 'NO_PRODUCT'],
  ['for more than may be borrowed', { seats: 3 }, 'BORROW_LIMIT'],
])('refused: %s', (_, { requestedAtMs, ...more }: Partial<Command<'grantBorrow'>>, code) => {
  world.refused(granting({ ...more, requestedAtMs: world.now.wallMs + (requestedAtMs ?? 0) }), code);
  expect(world.state.derived.deviceByKey.has(`lease ${keyOf('cave')}`)).toBe(false);
});

test('just inside the bounds it is granted, and for the right server', () => {
  world.ok(granting({ requestedAtMs: world.now.wallMs - 7 * DAY_MS, server: SERVER_KEY }));
  world.ok(granting({ requestedAtMs: world.now.wallMs + 450_000, nonce: 'm'.repeat(22) }));
});

test('a known machine stays its user’s; asked again it is lent for longer on the same seat', () => {
  const first = world.ok(granting());
  world.user('bo');
  world.refused(granting({ email: 'bo@studio.example', nonce: 'm'.repeat(22) }), 'NOT_ALLOWED');
  const again = world.ok(granting({ email: null, nonce: 'm'.repeat(22), seconds: 7200 }));
  expect(again.leases[0]!.seat).toBe(first.leases[0]!.seat);
  expect(world.usage()).toMatchObject({ borrowed: 1 });
});

test('not while the removal of its user, or a revoke, is pending', () => {
  world.ok(granting());
  world.ok({ type: 'removeUser', ...world.admin(), email: ANNA, when: 'pending' });
  world.refused(granting({ nonce: 'm'.repeat(22) }), 'REVOKE_PENDING');
});
