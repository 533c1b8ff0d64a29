import { describe, expect, test } from 'vitest';
import { World } from './world.js';

const LIMIT = 600;

/** A pool that takes back what has been idle for ten minutes, and devices that share a seat per user. */
function studio(share: 'process' | 'device' | 'user' = 'device', idleSeconds: number | null = LIMIT) {
  const world = new World();
  world.import({ seats: 2, share });
  world.ok({ type: 'setPool', ...world.admin(), product: 'render', settings: { idleSeconds } });
  return { world, anna: world.user('anna') };
}

function take(world: World, device: string): string {
  return world.checkout(device).leases[0]!.jti;
}

/** Renews leases of a device and says for how many seconds each has been idle; those not named are in use. */
function renew(world: World, device: string, idle: Record<string, number>, also: string[] = []) {
  const leases = [...Object.keys(idle), ...also];
  const said = Object.entries(idle).map(([lease, seconds]) => ({ lease, seconds }));
  const { by } = world.by(device);
  return world.ok({ type: 'renew', by, leases, nonce: 'm'.repeat(22), idle: said }).leases;
}

const codes = (rows: ReturnType<typeof renew>) => rows.map((row) => ('code' in row ? row.code : 'renewed'));

describe('idle seats', () => {
  test('are taken back at the limit, not a second before; held until the signed stop', () => {
    const { world, anna } = studio();
    const lease = take(world, anna);
    expect(codes(renew(world, anna, { [lease]: LIMIT - 1 }))).toEqual(['renewed']);
    expect(codes(renew(world, anna, { [lease]: LIMIT }))).toEqual(['IDLE_RELEASED']);
    expect(world.usage()).toMatchObject({ inUse: 0, held: 1, free: 1 });
    expect(codes(renew(world, anna, {}, [lease]))).toEqual(['IDLE_RELEASED']);
    world.refused({ type: 'release', ...world.by(anna), leases: [lease], stopped: [] }, 'STOP_REQUIRED');
    world.release(anna, [lease], [lease]);
    expect(world.usage()).toMatchObject({ held: 0, free: 2 });
  });

  test('are free at the end of the window without a stop, not before (I1, I2)', () => {
    const { world, anna } = studio();
    const lease = take(world, anna);
    renew(world, anna, { [lease]: LIMIT });
    world.pass(130_240);
    expect(world.usage()).toMatchObject({ held: 1 });
    world.pass(1);
    expect(world.usage()).toMatchObject({ held: 0, free: 2 });
  });

  test('the fact is journaled with its cause, the report is not', () => {
    const { world, anna } = studio();
    const lease = take(world, anna);
    const { by } = world.by(anna);
    const asked = (seconds: number) =>
      ({ type: 'renew', by, leases: [lease], nonce: 'm'.repeat(22), idle: [{ lease, seconds }] }) as const;
    const before = world.send(asked(10));
    expect(before).toMatchObject({ changes: [{ type: 'lease.renewed', idleMs: 10_000 }] });
    expect(world.send(asked(LIMIT))).toMatchObject({
      changes: [{ type: 'lease.revoked', id: lease, by: '', cause: 'idle' }],
    });
  });

  test('nobody loses anything while the pool says nothing of idleness', () => {
    const { world, anna } = studio('device', null);
    const lease = take(world, anna);
    expect(codes(renew(world, anna, { [lease]: 10_000_000 }))).toEqual(['renewed']);
  });
});

describe('a joined seat', () => {
  test('is taken back when all its leases are idle, and then from all', () => {
    const { world, anna } = studio();
    const [first, second] = [take(world, anna), take(world, anna)];
    expect(world.usage()).toMatchObject({ inUse: 1 });
    expect(codes(renew(world, anna, { [first]: LIMIT }, [second]))).toEqual(['renewed', 'renewed']);
    expect(codes(renew(world, anna, { [first]: LIMIT, [second]: LIMIT - 1 }))).toEqual([
      'renewed',
      'renewed',
    ]);
    expect(codes(renew(world, anna, { [second]: LIMIT, [first]: LIMIT }))).toEqual([
      'IDLE_RELEASED',
      'IDLE_RELEASED',
    ]);
  });

  test('of two sessions: the word of each holds until its next renewal', () => {
    const { world, anna } = studio();
    const [first, second] = [take(world, anna), take(world, anna)];
    renew(world, anna, { [first]: LIMIT - 60 });
    world.pass(30_000);
    expect(codes(renew(world, anna, { [second]: LIMIT }))).toEqual(['renewed']);
    world.pass(30_000);
    expect(codes(renew(world, anna, { [second]: LIMIT }))).toEqual(['IDLE_RELEASED']);
    expect(world.state.tables.lease.get(first)).toMatchObject({ state: 'revoked', cause: 'idle' });
  });

  test('is not taken while one of them is used again', () => {
    const { world, anna } = studio();
    const [first, second] = [take(world, anna), take(world, anna)];
    renew(world, anna, { [first]: LIMIT - 60 });
    renew(world, anna, {}, [first]);
    world.pass(60_000);
    expect(codes(renew(world, anna, { [second]: LIMIT }))).toEqual(['renewed']);
  });

  test('counts as in use after a restart until its plugins speak again', () => {
    const { world, anna } = studio();
    const [first, second] = [take(world, anna), take(world, anna)];
    renew(world, anna, { [first]: LIMIT - 1 });
    world.restart();
    world.pass(60_000);
    expect(codes(renew(world, anna, { [second]: LIMIT }))).toEqual(['renewed']);
    expect(world.usage()).toMatchObject({ inUse: 1 });
  });
});

test('a borrowed seat is never idle (I8)', () => {
  const { world, anna } = studio();
  const lease = take(world, anna);
  world.ok(world.borrowing(anna, 3600));
  expect(codes(renew(world, anna, { [lease]: 10 * LIMIT }))).toEqual(['renewed']);
  expect(world.usage()).toMatchObject({ borrowed: 1 });
});

test('nobody speaks for the lease of another device, nor for one that is not renewed', () => {
  const { world, anna } = studio('process');
  const bo = world.user('bo');
  const lease = take(world, anna);
  expect(codes(renew(world, bo, { [lease]: LIMIT }))).toEqual(['LEASE_UNKNOWN']);
  const { by } = world.by(anna);
  world.ok({ type: 'renew', by, leases: [], nonce: 'm'.repeat(22), idle: [{ lease, seconds: LIMIT }] });
  expect(world.usage()).toMatchObject({ inUse: 1, held: 0 });
});

test('a forced release stays one, whatever is said of idleness', () => {
  const { world, anna } = studio();
  const [first, second] = [take(world, anna), take(world, anna)];
  world.ok({ type: 'revokeLease', ...world.admin(), lease: first, reason: '' });
  expect(codes(renew(world, anna, { [first]: LIMIT, [second]: LIMIT }))).toEqual([
    'LEASE_REVOKED',
    'IDLE_RELEASED',
  ]);
});
