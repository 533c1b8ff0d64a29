import type { LeaseClaims } from '@berth/protocol';
import { onlineWindowMs } from '@berth/protocol';
import { beforeEach, describe, expect, test } from 'vitest';
import { DAY_MS, START_MS, WINDOW_MS, World } from './world.js';

const HOUR_MS = 3_600_000;
const END_MS = START_MS + 2 * HOUR_MS;
const seconds = (ms: number): number => ms / 1000;

let world: World;
let device: string;
let lease: string;

beforeEach(() => {
  world = new World();
  world.import({ jti: 'old', seats: 1, exp: seconds(END_MS) });
  device = world.user('a');
  lease = world.checkout(device).leases[0]!.jti;
});

const nextYear = (more = {}) =>
  world.importing({ jti: 'next', seats: 1, nbf: seconds(END_MS), exp: seconds(END_MS + DAY_MS), ...more });

/** Renews twice a minute until then, as a plugin does. @returns the last answer */
function renewUntil(wallMs: number) {
  let last = world.renew(device, [lease]).leases[0]!;
  while (world.now.wallMs < wallMs) {
    world.pass(Math.min(30_000, wallMs - world.now.wallMs));
    last = world.renew(device, [lease]).leases[0]!;
    if (!('claims' in last)) return last;
    inside(last.claims);
  }
  return last;
}

/** What a verifier asks of it (PROTOCOL 5, check 10). */
function inside(claims: LeaseClaims): void {
  const { nbf, exp } = world.state.tables.entitlement.get(claims.ent)!.claims;
  expect(claims.iat).toBeGreaterThanOrEqual(nbf);
  expect(claims.iat * 1000 + onlineWindowMs(claims.dur * 1000)).toBeLessThanOrEqual(exp * 1000);
}

describe('the end of an entitlement in use', () => {
  test('the warning names the last moment, the same with every renewal', () => {
    expect(renewUntil(END_MS - HOUR_MS - 30_000)).not.toHaveProperty('warning');
    const first = renewUntil(END_MS - HOUR_MS + 30_000);
    const atMs = END_MS - (WINDOW_MS - 120_000);
    expect(first).toMatchObject({ warning: { code: 'ENTITLEMENT_EXPIRED', atMs, by: null } });
    expect(renewUntil(END_MS - WINDOW_MS - 60_000)).toMatchObject({ warning: { atMs } });
    expect(renewUntil(END_MS)).toMatchObject({ code: 'ENTITLEMENT_EXPIRED' });
    world.pass(END_MS - world.now.wallMs);
    expect(world.usage()).toMatchObject({ owned: 0, used: 0, over: 0 });
  });

  test('a revision with a later end lifts the warning and carries the seat on', () => {
    renewUntil(END_MS - 60_000 * 30);
    world.import({ jti: 'old', rev: 2, seats: 1, exp: seconds(END_MS + DAY_MS) });
    const renewed = renewUntil(END_MS + HOUR_MS);
    expect(renewed).toMatchObject({ claims: { ent: 'old' } });
    expect(renewed).not.toHaveProperty('warning');
  });

  test('one that begins when the other ends takes the seat over without a gap', () => {
    world.ok(nextYear());
    expect(renewUntil(END_MS - WINDOW_MS - 1000)).toMatchObject({ claims: { ent: 'old' } });
    expect(renewUntil(END_MS - 30_000)).toMatchObject({ claims: { ent: 'next', iat: seconds(END_MS) } });
    // The seat it left on the old one is not there for anybody else: one is owned, one is used.
    expect(world.usage()).toMatchObject({ owned: 1, used: 1, free: 0 });
    world.refused(world.checkingOut(device), 'NO_SEAT');
    expect(renewUntil(END_MS + HOUR_MS)).toMatchObject({ claims: { ent: 'next' } });
    expect(world.usage()).toMatchObject({ owned: 1, used: 1 });
  });

  test('whoever joins a seat that has gone over gets a lease that its entitlement allows', () => {
    world.import({ jti: 'shared', product: 'comp', seats: 1, share: 'device', exp: seconds(END_MS) });
    const dates = { nbf: seconds(END_MS), exp: seconds(END_MS + DAY_MS) };
    world.import({ jti: 'heir', product: 'comp', seats: 1, share: 'device', ...dates });
    lease = world.checkout(device, 1, 'comp').leases[0]!.jti;
    expect(renewUntil(END_MS - 60_000)).toMatchObject({ claims: { ent: 'heir' } });
    const { leases, joined } = world.checkout(device, 1, 'comp');
    expect({ leases, joined }).toMatchObject({ leases: [{ ent: 'heir' }], joined: true });
    inside(leases[0]!);
  });

  test('one that begins later than that does not, nor one without room', () => {
    world.ok(nextYear({ nbf: seconds(END_MS) + 1 }));
    expect(renewUntil(END_MS)).toMatchObject({ code: 'ENTITLEMENT_EXPIRED' });
  });

  test('two seats and one successor seat: one goes over, one ends', () => {
    world.import({ jti: 'old', rev: 2, seats: 2, exp: seconds(END_MS) });
    const other = world.checkout(device).leases[0]!.jti;
    world.ok(nextYear());
    while (world.now.wallMs < END_MS - 30_000) {
      world.pass(30_000);
      world.renew(device, [lease, other]);
    }
    const rows = world.renew(device, [lease, other]).leases;
    expect(rows.filter((row) => 'claims' in row && row.claims.ent === 'next')).toHaveLength(1);
    expect(rows.filter((row) => 'code' in row && row.code === 'ENTITLEMENT_EXPIRED')).toHaveLength(1);
    world.pass(HOUR_MS);
    expect(world.usage().used).toBeLessThanOrEqual(1);
  });
});

describe('what takes over at once and begins later', () => {
  test.each([
    ['a revision', { jti: 'old', rev: 2 }],
    ['a replacement', { jti: 'next', replaces: 'old' }],
  ])('%s is refused while the known one is in force: nobody loses a seat', (_, claims) => {
    const denial = world.refused(nextYear(claims), 'ENTITLEMENT_CONFLICT');
    expect(denial.next).toContain('begins no later than today');
    expect(world.renew(device, [lease]).leases[0]).toMatchObject({ claims: { ent: 'old' } });
    world.pass(END_MS - world.now.wallMs);
    world.ok(nextYear(claims));
  });
});

describe('removing an entitlement', () => {
  test('seats in use go to others while these have room; the rest are revoked', () => {
    world.import({ jti: 'old', rev: 2, seats: 3, exp: seconds(END_MS) });
    const more = [world.checkout(device), world.checkout(device)].map(({ leases }) => leases[0]!.jti);
    world.import({ jti: 'other', seats: 2 });
    expect(world.ok({ type: 'removeEntitlement', ...world.admin(), id: 'old' })).toEqual({
      id: 'old',
      leasesRevoked: 1,
      moved: 2,
    });
    const rows = world.renew(device, [lease, ...more]).leases;
    expect(rows.filter((row) => 'claims' in row && row.claims.ent === 'other')).toHaveLength(2);
    expect(world.usage()).toMatchObject({ owned: 2, inUse: 2, held: 1, over: 1 });
    world.pass(WINDOW_MS - 1000);
    world.renew(device, [lease, ...more]);
    world.pass(2000);
    expect(world.usage()).toMatchObject({ owned: 2, inUse: 2, held: 0, over: 0 });
  });
});
