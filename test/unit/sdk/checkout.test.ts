import { BerthError } from '@berth/client';
import { encodeBase64Url } from '@berth/protocol';
import { describe, expect, it } from 'vitest';
import { keyFrom } from './fake-server.js';
import { settle, World } from './world.js';

const codeOf = (error: unknown) => (error instanceof BerthError ? error.code : error);
const failure = (work: Promise<unknown>) =>
  work.then(
    () => 'ok',
    (error: BerthError) => error,
  );

describe('checkout', () => {
  it('gives a seat whose tokens verify, and tells each token', async () => {
    const world = new World();
    const seen: string[] = [];
    const client = await world.connect({ onToken: ({ lease }) => seen.push(lease) });
    const seat = await client.checkout();
    expect(seat).toMatchObject({ state: 'held', seats: 1, kind: 'online', joined: false, product: 'render' });
    expect(seat.leaseIds).toEqual(['lease-1']);
    expect(seat.expiresAtMs).toBe(world.time.wallMs() + 120_000);
    expect(seen).toEqual(seat.tokens.map((token) => token.lease));
  });

  it('counts from just before the first send: a retry with the same key does not move it (I2, I7)', async () => {
    const world = new World();
    const client = await world.connect();
    let asked = 0;
    world.server.scripts['lease.checkout'] = (params) => {
      const result = world.server.grant(params);
      return ++asked === 1 ? { lost: result } : result;
    };
    const sentAtMs = world.time.monoMs();
    const seat = await world.run(client.checkout());
    const [first, second] = world.server.of('lease.checkout');
    expect(second?.params).toEqual(first?.params);
    expect(world.time.monoMs()).toBeGreaterThan(sentAtMs);
    expect(seat.expiresAtMs - world.time.wallMs()).toBe(120_000 - (world.time.monoMs() - sentAtMs));
  });

  it('sends a request that is never answered again on a new connection', async () => {
    const world = new World();
    const client = await world.connect();
    let asked = 0;
    world.server.scripts['lease.checkout'] = (params) => (++asked === 1 ? null : world.server.grant(params));
    const seat = await world.run(client.checkout());
    const keys = world.server.of('lease.checkout').map((request) => request.params.key);
    expect(seat.state).toBe('held');
    expect(keys).toHaveLength(2);
    expect(keys[0]).toBe(keys[1]);
    expect(world.server.of('session.open')).toHaveLength(2);
  });

  it('tells the caller after 30 s without an answer, and gives back what comes later', async () => {
    const world = new World();
    const client = await world.connect();
    let silent = true;
    world.server.scripts['lease.checkout'] = (params) => (silent ? null : world.server.grant(params));
    const startMs = world.time.monoMs();
    expect(codeOf(await world.run(failure(client.checkout())))).toBe('TIMEOUT');
    expect(world.time.monoMs() - startMs).toBeLessThanOrEqual(30_050);
    silent = false;
    await world.time.advance(15_000);
    const requests = world.server.of('lease.checkout');
    expect(new Set(requests.map((request) => request.params.key)).size).toBe(1);
    expect(world.server.of('lease.release')[0]?.params.leases).toEqual(['lease-1']);
    expect(world.host.holds).toBe(0);
  });

  it('explains a refusal', async () => {
    const world = new World();
    const client = await world.connect();
    const holder = { user: 'b@x.org', device: 'pc', seats: 1, kind: 'online', sinceMs: 1, untilMs: 2 };
    world.server.scripts['lease.checkout'] = () => ({
      error: 'NO_SEAT',
      data: { rule: 'ALL_IN_USE', holders: [holder], nextFreeAtMs: 5 },
    });
    const error = await failure(client.checkout());
    expect(error).toMatchObject({
      code: 'NO_SEAT',
      rule: 'ALL_IN_USE',
      holders: [holder],
      nextFreeAtMs: 5,
      exitCode: 7,
      retryable: true,
    });
  });

  it('repeats a busy answer with the same key', async () => {
    const world = new World();
    const client = await world.connect();
    let asked = 0;
    world.server.scripts['lease.checkout'] = (params) =>
      ++asked < 3 ? { error: 'BUSY' } : world.server.grant(params);
    await world.run(client.checkout());
    expect(new Set(world.server.of('lease.checkout').map((request) => request.params.key)).size).toBe(1);
  });

  it.each([0, 65, 1.5, Number.NaN])('refuses to ask for %s seats', async (seats) => {
    const client = await new World().connect();
    expect(codeOf(await failure(client.checkout({ seats })))).toBe('PARAMS_INVALID');
  });
});

describe('a cancelled checkout', () => {
  it('gives back a seat that is granted after the cancel', async () => {
    const world = new World();
    const client = await world.connect();
    let answer: (() => void) | undefined;
    world.server.scripts['lease.checkout'] = async (params) => {
      await new Promise<void>((resolve) => {
        answer = resolve;
      });
      return world.server.grant(params);
    };
    const abort = new AbortController();
    const work = failure(client.checkout({ signal: abort.signal }));
    await settle();
    abort.abort();
    expect(codeOf(await work)).toBe('CANCELLED');
    expect(world.server.of('lease.release')).toHaveLength(0);
    answer?.();
    await settle();
    expect(world.server.of('lease.release')[0]?.params.leases).toEqual(['lease-1']);
    expect(world.host.holds).toBe(0);
  });
});

describe('a grant that does not verify', () => {
  const foreign = keyFrom('somebody else');
  it.each([
    ['is not signed by the server', 'LEASE_SIGNATURE', {}],
    ['names another device', 'LEASE_OTHER_DEVICE', { dev: `ed25519:${encodeBase64Url(foreign.publicKey)}` }],
    ['answers another request', 'LEASE_OTHER_NONCE', { nonce: 'AAAAAAAAAAAAAAAAAAAAAA' }],
    ['is of another product', 'LEASE_OTHER_ENTITLEMENT', { product: 'paint' }],
    ['names an unknown entitlement', 'ENTITLEMENT_MISSING', { ent: 'ent-2' }],
    ['is a borrow', 'LEASE_OTHER_KIND', { kind: 'borrow' as const }],
    ['is worth too few seats', 'LEASE_TOO_FEW_SEATS', { n: 1 }],
  ])('because it %s is refused and given back', async (_why, fault, claims) => {
    const world = new World();
    const client = await world.connect();
    world.server.scripts['lease.checkout'] = (params) => {
      const key = fault === 'LEASE_SIGNATURE' ? foreign : world.server.key;
      const token = world.server.lease({ nonce: params.nonce, n: params.wants[0]!.seats, ...claims }, key);
      return { leases: [token], entitlements: [world.server.entitlementText], joined: false };
    };
    const error = await failure(client.checkout({ seats: 2 }));
    expect(error).toMatchObject({ code: 'TOKEN_INVALID', detail: { fault } });
    await settle();
    expect(world.server.of('lease.release')[0]?.params.leases).toEqual(['lease-1']);
  });

  it('because of its vendor is refused, unless any vendor is accepted', async () => {
    const world = new World();
    const pinned = await world.connect({ vendorKeys: [`ed25519:${encodeBase64Url(foreign.publicKey)}`] });
    expect(await failure(pinned.checkout())).toMatchObject({ detail: { fault: 'VENDOR_UNKNOWN' } });
    const unpinned = await world.connect({ vendorKeys: 'unpinned' });
    expect((await unpinned.checkout()).state).toBe('held');
  });

  it('and a pinned key that is none is said at connect', async () => {
    expect(codeOf(await failure(new World().connect({ vendorKeys: ['nonsense'] })))).toBe('KEY_INVALID');
  });
});
