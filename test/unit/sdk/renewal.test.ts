import type { Seat, SeatEvents } from '@berth/client';
import type { LeaseClaims } from '@berth/protocol';
import { describe, expect, it } from 'vitest';
import { keyFrom } from './fake-server.js';
import { settle, World } from './world.js';

const D = 120_000;

function listen(seat: Seat): (keyof SeatEvents)[] {
  const names: (keyof SeatEvents)[] = [];
  for (const name of ['grace', 'recovered', 'lost'] as const) seat.on(name, () => names.push(name));
  return names;
}

async function withSeat(entitlement = {}) {
  const world = new World(entitlement);
  const client = await world.connect();
  const seat = await client.checkout();
  return { world, client, seat, events: listen(seat) };
}

describe('the heartbeat', () => {
  it('renews every D/3 +- 10 %, all seats in one frame', async () => {
    const { world, client, seat } = await withSeat();
    const second = await client.checkout();
    await world.time.advance(10 * D);
    const renewals = world.server.of('lease.renew');
    const gaps = renewals.slice(1).map((request, i) => request.atMs - renewals[i]!.atMs);
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual((D / 3) * 0.9 - 1);
    expect(Math.max(...gaps)).toBeLessThanOrEqual((D / 3) * 1.1 + 1);
    expect(new Set(gaps).size).toBeGreaterThan(1);
    expect([seat.state, second.state]).toEqual(['held', 'held']);
    expect(world.server.of('session.resume')).toEqual([]);
  });

  it('counts a renewal from just before it was sent', async () => {
    const { world, seat } = await withSeat();
    let sentAtMs = 0;
    world.server.scripts['lease.renew'] = (params, socket) => {
      sentAtMs = world.time.monoMs();
      world.time.block(900);
      return world.server.renewals([...socket.leases], params.nonce);
    };
    await world.time.advance(50_000);
    const sinceMs = world.time.monoMs() - sentAtMs;
    expect(sentAtMs).toBeGreaterThan(0);
    expect(seat.expiresAtMs).toBe(world.time.wallMs() + D - sinceMs);
  });

  it('verifies the signature of an entitlement once, and that of each renewal', async () => {
    const { world, seat } = await withSeat();
    const asked: string[] = [];
    const verify = world.host.verify.bind(world.host);
    world.host.verify = (publicKey, message, signature) => {
      asked.push(keys.find(({ key }) => Buffer.compare(key, publicKey) === 0)?.name ?? '?');
      return verify(publicKey, message, signature);
    };
    const keys = [
      { name: 'vendor', key: world.server.vendor.publicKey },
      { name: 'server', key: world.server.key.publicKey },
    ];
    const client = await world.connect();
    asked.length = 0;
    const second = await client.checkout();
    await world.time.advance(5 * D);
    expect([seat.state, second.state]).toEqual(['held', 'held']);
    expect(asked.filter((name) => name === 'vendor')).toHaveLength(1);
    expect(asked.filter((name) => name === 'server').length).toBeGreaterThan(10);
  });

  it('stops when nothing is held', async () => {
    const { world, seat } = await withSeat();
    await seat.release();
    await world.time.advance(5 * D);
    expect(world.server.of('lease.renew')).toEqual([]);
    expect(world.time.timers).toBe(0);
  });

  it('takes a connection that does not answer a renewal for dead, reconnects and resumes', async () => {
    const { world, seat, events } = await withSeat();
    world.server.scripts['lease.renew'] = () => null;
    await world.time.advance(60_000);
    const [unanswered] = world.server.of('lease.renew');
    const [resumed] = world.server.of('session.resume');
    expect(resumed?.params.leases).toEqual(seat.leaseIds);
    // D/6, but at most 10 s; then the first pause.
    expect(resumed!.atMs - unanswered!.atMs).toBeGreaterThanOrEqual(10_000);
    expect(resumed!.atMs - unanswered!.atMs).toBeLessThan(11_000);
    expect(seat.state).toBe('held');
    expect(events).toEqual([]);
  });

  it('beats again soon when the server was busy', async () => {
    const { world } = await withSeat();
    world.server.scripts['lease.renew'] = () => ({ error: 'BUSY' });
    await world.time.advance(80_000);
    const [first, second] = world.server.of('lease.renew');
    expect(second!.atMs - first!.atMs).toBeLessThanOrEqual((D / 10) * 1.1 + 1);
  });
});

describe('a lost connection', () => {
  it('is noticed by nobody but the link when it comes back in time', async () => {
    const { world, seat, events } = await withSeat();
    world.cut();
    await world.time.advance(20_000);
    world.mend();
    await world.time.advance(12_000);
    expect(world.server.of('session.resume')).toHaveLength(1);
    expect([seat.state, events]).toEqual(['held', []]);
    expect(world.server.of('lease.checkout')).toHaveLength(1);
  });

  it('leads to grace, and back when the server is back', async () => {
    const { world, seat, events } = await withSeat();
    const notices: string[] = [];
    seat.on('grace', ({ code }) => notices.push(code));
    world.cut();
    await world.time.advance(100_000);
    expect(seat.state).toBe('grace');
    world.mend();
    await world.time.advance(5_000);
    expect(seat.state).toBe('held');
    expect(events).toEqual(['grace', 'recovered']);
    expect(notices).toEqual(['UNREACHABLE']);
  });

  it('leads to lost at D, for good: afterwards the lease is not taken up again', async () => {
    const { world, seat, events } = await withSeat();
    world.cut();
    await world.time.advance(D);
    expect([seat.state, events]).toEqual(['lost', ['grace', 'lost']]);
    world.mend();
    await world.time.advance(30_000);
    expect(world.server.of('session.resume')).toEqual([]);
    expect(seat.state).toBe('lost');
  });

  it('is tried again at growing, jittered intervals of at most 10 s', async () => {
    const world = new World();
    await world.connect();
    world.cut();
    world.host.dialled.length = 0;
    const attempts: number[] = [];
    for (let ms = 0; ms < 120_000; ms += 10) {
      const before = world.host.dialled.length;
      await world.time.advance(10);
      if (world.host.dialled.length > before) attempts.push(world.time.monoMs());
    }
    const gaps = attempts.slice(1).map((at, i) => at - attempts[i]!);
    expect(attempts.length).toBeGreaterThan(10);
    expect(gaps[0]).toBeLessThanOrEqual(1_010);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(10_010);
    expect(gaps.at(-1)).toBeGreaterThanOrEqual(4_990);
  });

  it('is tried more often while a seat runs out', async () => {
    const world = new World();
    world.server.leaseSeconds = 8;
    const client = await world.connect();
    const seat = await client.checkout();
    world.cut();
    await world.time.advance(6_000);
    world.mend();
    await world.time.advance(1_100);
    expect(seat.state).toBe('held');
  });

  it('is not tried again after a close that says so', async () => {
    const { world, client } = await withSeat();
    world.server.dropAll(4410);
    await world.time.advance(30_000);
    expect(world.server.of('session.open')).toHaveLength(1);
    await expect(client.checkout()).rejects.toMatchObject({ code: 'DEVICE_UNKNOWN' });
  });

  it('is tried again once after a newer session closed it, and not twice in ten minutes', async () => {
    const { world, client, seat } = await withSeat();
    world.server.dropAll(4409);
    await world.time.advance(5_000);
    expect(world.server.of('session.resume')).toHaveLength(1);
    await world.time.advance(10 * 60_000);
    world.server.dropAll(4409);
    await world.time.advance(5_000);
    expect([seat.state, world.server.of('session.open').length]).toEqual(['held', 3]);
    world.server.dropAll(4409);
    await world.time.advance(30_000);
    expect(world.server.of('session.open')).toHaveLength(3);
    await expect(client.checkout()).rejects.toMatchObject({ code: 'SUPERSEDED' });
  });

  it('waits as long as a draining server asks', async () => {
    const { world } = await withSeat();
    world.server.push('server.draining', { reconnectAfterMs: 8_000 });
    await settle();
    world.server.dropAll(1001);
    await world.time.advance(7_900);
    expect(world.server.of('session.open')).toHaveLength(1);
    await world.time.advance(2_000);
    expect(world.server.of('session.open')).toHaveLength(2);
  });
});

it('a draining server that asks for more time than a seat has is asked sooner', async () => {
  const world = new World();
  world.server.leaseSeconds = 10;
  const client = await world.connect();
  const seat = await client.checkout();
  world.server.push('server.draining', { reconnectAfterMs: 15_000 });
  await settle();
  world.server.dropAll(1001);
  await world.time.advance(4_000);
  expect(world.server.of('session.resume')).toHaveLength(1);
  expect(seat.state).toBe('held');
});

describe('a renewal', () => {
  it.each<[string, Partial<LeaseClaims>, boolean]>([
    ['is signed by somebody else', {}, true],
    ['answers another request', { nonce: 'AAAAAAAAAAAAAAAAAAAAAA' }, false],
    ['is worth other seats', { n: 2 }, false],
    ['is another lease', { jti: 'lease-7' }, false],
  ])('does not count when its token %s', async (_why, claims, foreign) => {
    const { world, seat, events } = await withSeat();
    const wrong = (nonce: string) => {
      const key = foreign ? keyFrom('somebody else') : world.server.key;
      return world.server.lease({ jti: 'lease-1', nonce, ...claims }, key);
    };
    world.server.scripts['lease.renew'] = ({ nonce }) => ({
      leases: [{ lease: 'lease-1', token: wrong(nonce) }],
      entitlements: [],
    });
    await world.time.advance(D + 1_000);
    expect(events).toEqual(['grace', 'lost']);
    expect(seat.state).toBe('lost');
  });

  it('is asked for again, with entitlements, when the lease moved to one we have not seen', async () => {
    const { world, seat } = await withSeat();
    const moved = new World({ jti: 'ent-2' }).server;
    moved.deviceKey = world.server.deviceKey;
    const token = (nonce: string) => moved.lease({ jti: 'lease-1', nonce, seat: 'seat-1' });
    world.server.scripts['lease.renew'] = ({ nonce }) => ({
      leases: [{ lease: 'lease-1', token: token(nonce) }],
      entitlements: [],
    });
    world.server.scripts['session.resume'] = ({ nonce }) => ({
      leases: [{ lease: 'lease-1', token: token(nonce) }],
      entitlements: [moved.entitlementText],
    });
    await world.time.advance(D / 2);
    expect(world.server.of('session.resume')).toHaveLength(1);
    expect(seat.state).toBe('held');
  });

  it('that leaves a lease out is followed by a resume of it', async () => {
    const { world, seat } = await withSeat();
    for (const socket of world.server.sockets) socket.leases.clear();
    await world.time.advance(D * 3);
    expect(world.server.of('session.resume')[0]?.params.leases).toEqual(['lease-1']);
    expect(seat.state).toBe('held');
  });

  it('that comes after the end changes nothing, and the lease is given back', async () => {
    const { world, seat } = await withSeat();
    world.server.scripts['lease.renew'] = ({ nonce }, socket) => {
      world.time.block(D);
      return world.server.renewals([...socket.leases], nonce);
    };
    await world.time.advance(D / 2);
    expect(seat.state).toBe('lost');
    await world.time.advance(10_000);
    expect(world.server.of('lease.release')[0]?.params.leases).toEqual(['lease-1']);
  });

  it.each(['LEASE_UNKNOWN', 'LEASE_REVOKED'] as const)('that says %s ends the seat', async (code) => {
    const { world, seat } = await withSeat();
    world.server.scripts['lease.renew'] = () => ({ leases: [{ lease: 'lease-1', code }], entitlements: [] });
    await world.time.advance(D / 2);
    expect([seat.state, seat.lost?.code]).toEqual(['lost', code]);
  });

  it('that says ENTITLEMENT_EXPIRED leaves the seat its time', async () => {
    const { world, seat, events } = await withSeat();
    world.server.scripts['lease.renew'] = () => ({
      leases: [{ lease: 'lease-1', code: 'ENTITLEMENT_EXPIRED' }],
      entitlements: [],
    });
    await world.time.advance(45_000);
    expect(seat.state).toBe('grace');
    await world.time.advance(D);
    expect(events).toEqual(['grace', 'lost']);
    expect(seat.lost?.code).toBe('ENTITLEMENT_EXPIRED');
  });

  it('that succeeds after ENTITLEMENT_EXPIRED, since an admin imported another, brings the seat back', async () => {
    const { world, events } = await withSeat();
    world.server.scripts['lease.renew'] = () => ({
      leases: [{ lease: 'lease-1', code: 'ENTITLEMENT_EXPIRED' }],
      entitlements: [],
    });
    await world.time.advance(45_000);
    delete world.server.scripts['lease.renew'];
    await world.time.advance(45_000);
    expect(events).toEqual(['grace', 'recovered']);
  });
});
