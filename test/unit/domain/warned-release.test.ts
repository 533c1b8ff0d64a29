import type { Lease } from '@berth/server/domain/state';
import { leaseInfo } from '@berth/server/domain/views';
import { expect, test } from 'vitest';
import { WINDOW_MS, World } from './world.js';

const MINUTE_MS = 60_000;

function held(): { world: World; device: string; lease: string } {
  const world = new World();
  world.import();
  const device = world.user('a');
  return { world, device, lease: world.checkout(device).leases[0]!.jti };
}

const rowOf = (world: World, lease: string): Lease => world.state.tables.lease.get(lease)!;

function warn(world: World, lease: string, afterMs: number, reason = 'soon'): number {
  return world.ok({ type: 'revokeLease', ...world.admin(), lease, reason, afterMs }).releaseAtMs!;
}

/** Renews every minute, as a plugin does. */
function keepRenewing(world: World, device: string, lease: string, ms: number): void {
  for (let passed = 0; passed < ms; passed += MINUTE_MS) {
    world.pass(Math.min(MINUTE_MS, ms - passed));
    if (rowOf(world, lease)?.state === 'open') world.renew(device, [lease]);
  }
}

test('a release set for later is warned of with every renewal and happens at its moment, not before', () => {
  const { world, device, lease } = held();
  const atMs = warn(world, lease, 5 * MINUTE_MS);
  expect(atMs).toBe(world.now.wallMs + 5 * MINUTE_MS);
  world.pass(MINUTE_MS);
  expect(world.renew(device, [lease]).leases[0]).toMatchObject({
    claims: { jti: lease },
    warning: { code: 'LEASE_REVOKED', atMs, inMs: 4 * MINUTE_MS, reason: 'soon', by: 'owner@studio.example' },
  });
  expect(leaseInfo(world.state, rowOf(world, lease), world.now).releaseAtMs).toBe(atMs);
  keepRenewing(world, device, lease, 4 * MINUTE_MS - 1);
  expect(rowOf(world, lease).state).toBe('open');
  world.pass(1);
  expect(rowOf(world, lease)).toMatchObject({
    state: 'revoked',
    revoked: { by: 'owner@studio.example', reason: 'soon' },
  });
  expect(rowOf(world, lease).release).toBeUndefined();
  expect(world.renew(device, [lease]).leases[0]).toMatchObject({ code: 'LEASE_REVOKED' });
  expect(world.usage()).toMatchObject({ held: 1, free: 2 });
});

test('it survives a restart', () => {
  const { world, device, lease } = held();
  const atMs = warn(world, lease, 5 * MINUTE_MS);
  world.restart();
  expect(rowOf(world, lease).release?.atMs).toBe(atMs);
  keepRenewing(world, device, lease, 5 * MINUTE_MS);
  expect(rowOf(world, lease).state).toBe('revoked');
});

test('called off, nothing happens; the renewal says no more of it', () => {
  const { world, device, lease } = held();
  warn(world, lease, 2 * MINUTE_MS);
  expect(world.ok({ type: 'keepLease', ...world.admin(), lease })).toEqual({ lease, kept: true });
  expect(world.ok({ type: 'keepLease', ...world.admin(), lease })).toEqual({ lease, kept: false });
  expect(world.renew(device, [lease]).leases[0]).not.toHaveProperty('warning');
  keepRenewing(world, device, lease, 3 * MINUTE_MS);
  expect(rowOf(world, lease).state).toBe('open');
});

test('set again, it moves: later, sooner, and to now', () => {
  const { world, device, lease } = held();
  warn(world, lease, 2 * MINUTE_MS);
  warn(world, lease, 4 * MINUTE_MS, 'later');
  keepRenewing(world, device, lease, 3 * MINUTE_MS);
  expect(rowOf(world, lease)).toMatchObject({ state: 'open', release: { reason: 'later' } });
  warn(world, lease, 30_000);
  world.pass(30_000);
  expect(rowOf(world, lease).state).toBe('revoked');
  const other = world.checkout(device).leases[0]!.jti;
  warn(world, other, MINUTE_MS);
  expect(
    world.ok({ type: 'revokeLease', ...world.admin(), lease: other, reason: 'now' }).releaseAtMs,
  ).toBeNull();
  expect(rowOf(world, other).state).toBe('revoked');
});

test('a lease that ends before it takes its release with it, even in the same moment', () => {
  const { world, device, lease } = held();
  warn(world, lease, 5 * MINUTE_MS);
  world.release(device, [lease]);
  world.pass(6 * MINUTE_MS);
  expect(world.usage()).toMatchObject({ used: 0, free: 3 });
  const silent = world.checkout(device).leases[0]!.jti;
  warn(world, silent, WINDOW_MS);
  world.pass(WINDOW_MS);
  expect(rowOf(world, silent)).toBeUndefined();
  expect(world.usage()).toMatchObject({ used: 0, free: 3 });
});

test('a forward jump of the clock does not bring it nearer (I5)', () => {
  const { world, device, lease } = held();
  warn(world, lease, 5 * MINUTE_MS);
  world.now = { ...world.now, wallMs: world.now.wallMs + 3_600_000 };
  world.tick();
  expect(rowOf(world, lease).state).toBe('open');
  expect(world.renew(device, [lease]).leases[0]).toMatchObject({ warning: { inMs: 5 * MINUTE_MS } });
});

test('a borrow is not taken, now or later (I8)', () => {
  const { world, device } = held();
  const { leases } = world.ok(world.borrowing(device, 3600));
  const asked = { ...world.admin(), lease: leases[0]!.jti, reason: '' };
  world.refused({ type: 'revokeLease', ...asked, afterMs: 1000 }, 'BORROWED');
});

test('a message is a fact only where somebody gets it; a retry answers as before', () => {
  const { world, lease } = held();
  const changesOf = (connected: boolean, key: string) => {
    const asked = world.by(world.admin().by.device, key);
    const decision = world.send({ type: 'messageLease', ...asked, lease, text: 'save', connected });
    return decision.ok ? [decision.outcome.delivered, decision.changes.map(({ type }) => type)] : decision;
  };
  expect(changesOf(false, 'one')).toEqual([false, []]);
  expect(changesOf(true, 'one')).toEqual([true, ['lease.messaged', 'request.kept']]);
  expect(changesOf(false, 'one')).toEqual([true, []]);
  world.refused(
    { type: 'messageLease', ...world.admin(), lease: 'nope', text: 'x', connected: true },
    'LEASE_UNKNOWN',
  );
});
