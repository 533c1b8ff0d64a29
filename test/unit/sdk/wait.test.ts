import { BerthError, type QueuedNotice } from '@berth/client';
import { timing } from '@berth/client/internal';
import { describe, expect, it } from 'vitest';
import { settle, World } from './world.js';

const codeOf = (error: unknown) => (error instanceof BerthError ? error.code : error);
const failure = (work: Promise<unknown>) =>
  work.then(
    () => 'ok',
    (error: BerthError) => error,
  );
const keysOf = (world: World) =>
  new Set(world.server.of('lease.checkout').map((request) => request.params.key)).size;

/** A server on which the first checkout waits until `answer` is called. */
async function waiting(waitMs: number, onQueued?: (notice: QueuedNotice) => void) {
  const world = new World();
  const client = await world.connect();
  let answer = (): void => {};
  world.server.scripts['lease.checkout'] = async (params) => {
    await new Promise<void>((resolve) => {
      answer = resolve;
    });
    return world.server.grant(params);
  };
  const abort = new AbortController();
  const work = client.checkout({ wait: waitMs, signal: abort.signal, onQueued });
  const settled = failure(work);
  await settle();
  return { world, client, work, settled, abort, answer: () => answer() };
}

describe('a checkout that waits', () => {
  it('asks once, says for how long, and does not ask again', async () => {
    const { world, work, answer } = await waiting(600_000);
    await world.time.advance(300_000);
    expect(world.server.of('lease.checkout')).toMatchObject([{ params: { waitMs: 600_000 } }]);
    answer();
    expect((await world.run(work)).state).toBe('held');
    expect(world.server.of('lease.checkout')).toHaveLength(1);
  });

  it('tells the place in line, and nothing any more once it is over', async () => {
    const told: QueuedNotice[] = [];
    const { world, work, answer } = await waiting(600_000, (notice) => told.push(notice));
    const checkout = String(world.server.of('lease.checkout')[0]!.params.key);
    const place = { position: 2, estimateMs: null, nextFreeAtMs: 5 };
    world.server.push('lease.queued', { checkout, ...place });
    world.server.push('lease.queued', { checkout: 'k'.repeat(16), ...place, position: 9 });
    await settle();
    expect(told).toEqual([place]);
    answer();
    await world.run(work);
    world.server.push('lease.queued', { checkout, ...place });
    await settle();
    expect(told).toHaveLength(1);
  });

  it('takes the refusal at the end of the wait for what it is', async () => {
    const world = new World();
    const client = await world.connect();
    world.server.scripts['lease.checkout'] = () => ({ error: 'NO_SEAT', data: { rule: 'ALL_IN_USE' } });
    expect(codeOf(await failure(client.checkout({ wait: 10_000 })))).toBe('NO_SEAT');
    expect(world.server.of('lease.checkout')).toHaveLength(1);
  });

  it('asks anew, with another key, only after a state of the server that passes', async () => {
    const world = new World();
    const client = await world.connect();
    let asked = 0;
    world.server.scripts['lease.checkout'] = (params) =>
      ++asked < 3 ? { error: 'DISK_LOW' } : world.server.grant(params);
    await world.run(client.checkout({ wait: 60_000 }));
    expect(keysOf(world)).toBe(3);
  });

  it('asks ever less often while that state lasts, and once more at the end of its wait', async () => {
    const world = new World();
    const client = await world.connect();
    world.server.scripts['lease.checkout'] = () => ({ error: 'CLOCK_BEHIND' });
    const refused = failure(client.checkout({ wait: 300_000 }));
    await world.run(refused);
    expect(codeOf(await refused)).toBe('CLOCK_BEHIND');
    const askedAtMs = world.server.of('lease.checkout').map(({ atMs }) => atMs);
    const pauses = askedAtMs.slice(1).map((atMs, at) => atMs - askedAtMs[at]!);
    expect(pauses[0]).toBeLessThanOrEqual(1_000);
    // 300 s in pauses of at least 5 s, but for the first four and the last.
    expect(pauses.length).toBeLessThanOrEqual(4 + 300_000 / 5_000 + 1);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(10_000);
    expect(askedAtMs.at(-1)! - askedAtMs[0]!).toBe(300_000);
  });

  it.each(['a lost connection', 'DRAINING'])(
    '%s: it asks again with the same key and what is left of the wait',
    async (what) => {
      const world = new World();
      const client = await world.connect();
      let asked = 0;
      world.server.scripts['lease.checkout'] = async (params) => {
        if (++asked > 1) return world.server.grant(params);
        if (what === 'DRAINING') return { error: 'DRAINING' };
        return null;
      };
      const work = client.checkout({ wait: 600_000 });
      await settle();
      if (what !== 'DRAINING') {
        await world.time.advance(20_000);
        world.server.dropAll();
      }
      const seat = await world.run(work);
      const [first, second] = world.server.of('lease.checkout');
      expect(second!.params).toMatchObject({ key: first!.params.key, nonce: first!.params.nonce });
      expect(second!.params.waitMs).toBe(600_000 - (second!.atMs - first!.atMs));
      expect(seat.state).toBe('held');
    },
  );

  it('notices a connection that is dead, though it has nothing to renew', async () => {
    const world = new World();
    const client = await world.connect();
    let asked = 0;
    world.server.scripts['lease.checkout'] = (params) => (++asked === 1 ? null : world.server.grant(params));
    world.server.scripts['lease.renew'] = () => (asked === 1 ? null : { leases: [], entitlements: [] });
    await world.run(client.checkout({ wait: 600_000 }));
    expect(world.server.of('session.open')).toHaveLength(2);
    const [first, second] = world.server.of('lease.checkout');
    expect(second!.atMs - first!.atMs).toBeLessThan(timing.waitProbeMs + timing.requestMs + 5_000);
    expect(keysOf(world)).toBe(1);
  });

  it('is cancelled at once by its signal; the server is told, and what it still grants is given back', async () => {
    const { world, settled, abort, answer } = await waiting(600_000);
    world.server.scripts['lease.cancelWait'] = () => ({ left: true });
    expect(world.host.holds).toBeGreaterThan(0);
    abort.abort();
    expect(codeOf(await settled)).toBe('CANCELLED');
    await settle();
    const { key } = world.server.of('lease.checkout')[0]!.params;
    expect(world.server.of('lease.cancelWait')).toMatchObject([{ params: { checkout: key } }]);
    answer();
    await settle();
    expect(world.server.of('lease.release')[0]?.params.leases).toEqual(['lease-1']);
    expect(world.host.holds).toBe(0);
  });

  it('cancelled while the server is away it does not stand in line again', async () => {
    const { world, settled, abort } = await waiting(600_000);
    world.cut();
    await world.time.advance(1_000);
    abort.abort();
    expect(codeOf(await settled)).toBe('CANCELLED');
    world.server.scripts['lease.checkout'] = () => ({ error: 'NO_SEAT' });
    world.server.scripts['lease.cancelWait'] = () => ({ left: true });
    world.mend();
    await world.time.advance(30_000);
    const asked = world.server.of('lease.checkout');
    expect(asked).toHaveLength(2);
    expect(asked[1]!.params).not.toHaveProperty('waitMs');
  });

  it('refuses to wait for more than a day', async () => {
    const client = await new World().connect();
    expect(codeOf(await failure(client.checkout({ wait: 86_400_001 })))).toBe('PARAMS_INVALID');
  });
});

describe('a seat that was granted late (I2)', () => {
  it('is renewed before it counts, and counts from the renewal', async () => {
    const { world, work, answer } = await waiting(600_000);
    await world.time.advance(300_000);
    world.server.scripts['session.resume'] = (params) => {
      world.time.block(700);
      return { ...world.server.renewals(params.leases, params.nonce), entitlements: [] };
    };
    answer();
    const seat = await world.run(work);
    expect(world.server.of('session.resume')).toMatchObject([{ params: { leases: ['lease-1'] } }]);
    const resumedAtMs = world.server.of('session.resume')[0]!.atMs;
    expect(seat.expiresAtMs - world.time.wallMs()).toBe(120_000 - (world.time.monoMs() - resumedAtMs));
    expect(seat.expiresAtMs - world.time.wallMs()).toBeLessThanOrEqual(120_000 - 700);
  });

  it('is not held before the renewal is answered', async () => {
    const { world, settled, answer } = await waiting(600_000);
    await world.time.advance(300_000);
    world.server.scripts['session.resume'] = () => null;
    answer();
    await world.time.advance(5_000);
    let done = false;
    void settled.then(() => {
      done = true;
    });
    await settle();
    expect(done).toBe(false);
  });

  it('is not held when it ended before: it is asked for anew while the wait lasts', async () => {
    const { world, work, answer } = await waiting(600_000);
    await world.time.advance(300_000);
    world.server.scripts['session.resume'] = () => ({
      leases: [{ lease: 'lease-1', code: 'LEASE_UNKNOWN' }],
      entitlements: [],
    });
    answer();
    await settle();
    world.server.scripts['lease.checkout'] = (params) => world.server.grant(params);
    const seat = await world.run(work);
    expect(seat.leaseIds).toEqual(['lease-2']);
    expect(keysOf(world)).toBe(2);
  });

  it('without a wait it is given back, and the caller is told', async () => {
    const world = new World();
    world.server.leaseSeconds = 5;
    const client = await world.connect();
    world.server.scripts['lease.checkout'] = (params) => {
      world.time.block(6_000);
      return world.server.grant(params);
    };
    world.server.scripts['session.resume'] = () => ({
      leases: [{ lease: 'lease-1', code: 'LEASE_UNKNOWN' }],
      entitlements: [],
    });
    expect(codeOf(await world.run(failure(client.checkout())))).toBe('TIMEOUT');
    await settle();
    expect(world.server.of('lease.release')[0]?.params.leases).toEqual(['lease-1']);
  });

  it('a prompt answer needs no renewal', async () => {
    const world = new World();
    const client = await world.connect();
    await world.run(client.checkout());
    expect(world.server.of('session.resume')).toHaveLength(0);
  });
});
