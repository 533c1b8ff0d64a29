import type { BerthError } from '@berth/client';
import { openAdminWith, openLeaseWith } from '@berth/client/internal';
import { encodeBase64Url, formatSecretKey } from '@berth/protocol';
import { describe, expect, it } from 'vitest';
import { FakeServer, keyFrom } from './fake-server.js';
import { deviceSeed, settle, World } from './world.js';

const failure = (work: Promise<unknown>): Promise<BerthError> =>
  work.then(
    () => {
      throw new Error('it succeeded');
    },
    (error: BerthError) => error,
  );

async function contextOf(world: World): Promise<unknown> {
  return JSON.parse(world.files.contents.get('config/contexts/studio.json') ?? 'null');
}

describe('which servers are tried', () => {
  it('the option, then BERTH_SERVERS, then the context, each in order', async () => {
    const world = new World();
    world.host.environment.BERTH_SERVERS = ' env-a , env-b:1,berth';
    await world.connect();
    expect(world.host.dialled).toEqual(['env-a:7433', 'env-b:1', 'berth:7433']);
    world.host.dialled.length = 0;
    await world.connect({ servers: ['option', 'berth:7433'] });
    expect(world.host.dialled).toEqual(['option:7433', 'berth:7433']);
    world.host.dialled.length = 0;
    world.host.environment.BERTH_SERVERS = '';
    await world.connect();
    expect(world.host.dialled).toEqual(['berth:7433']);
  });

  it('every one is named when none can be reached', async () => {
    const world = new World();
    const error = await failure(world.connect({ servers: ['a', 'b:2'] }));
    expect(error).toMatchObject({
      code: 'UNREACHABLE',
      exitCode: 5,
      servers: [
        { address: 'a:7433', code: 'UNREACHABLE' },
        { address: 'b:2', code: 'UNREACHABLE' },
      ],
    });
    expect(error.message).toContain('b:2');
  });

  it('an address that is none is said', async () => {
    expect((await failure(new World().connect({ servers: ['https://x'] }))).code).toBe('USAGE');
  });
});

describe('whom the client takes for its server', () => {
  it('not one with another key', async () => {
    const world = new World();
    const other = new FakeServer(world.time);
    Object.assign(other, { keyText: other.vendorText });
    world.host.network.set('berth:7433', other);
    expect((await failure(world.connect())).code).toBe('SERVER_MISMATCH');
    expect(other.requests).toEqual([]);
  });

  it('not one that cannot sign with the key', async () => {
    const world = new World();
    Object.assign(world.server, { key: keyFrom('somebody else') });
    expect((await failure(world.connect())).code).toBe('SERVER_MISMATCH');
  });

  it('not one at the end of another TLS connection', async () => {
    const world = new World();
    const binding = world.server.binding;
    let reads = 0;
    Object.defineProperty(world.server, 'binding', {
      get: () => (reads++ === 0 ? new Uint8Array(32) : binding),
    });
    expect((await failure(world.connect())).code).toBe('SIGNATURE_INVALID');
  });

  it('not one whose certificate it does not trust and whose key does not vouch for it', async () => {
    const world = new World();
    Object.assign(world.server, { caPem: 'another authority' });
    const { authority } = world.server;
    world.server.authority = (nonce) => authority.call(world.server, [...nonce].reverse().join(''));
    expect((await failure(world.connect())).code).toBe('CERTIFICATE_UNTRUSTED');
    expect(await contextOf(world)).toMatchObject({ caPem: 'the authority' });
  });

  it('one whose authority was replaced, if its key vouches for the new one; and keeps it', async () => {
    const world = new World();
    Object.assign(world.server, { caPem: 'another authority' });
    await world.connect();
    expect(await contextOf(world)).toMatchObject({ caPem: 'another authority', name: 'studio' });
    world.host.dialled.length = 0;
    await world.connect();
    expect(world.host.dialled).toEqual(['berth:7433']);
  });

  it('works without a channel binding, and says so', async () => {
    const world = new World();
    world.server.binding = null;
    await world.connect();
    expect(world.server.of('session.open')[0]?.params.binding).toBe('none');
  });
});

describe('connect', () => {
  it('without a context is NOT_JOINED', async () => {
    const world = new World();
    expect((await failure(world.connect({ context: 'nowhere' }))).code).toBe('CONTEXT_UNKNOWN');
    world.files.contents.clear();
    expect((await failure(world.connect())).code).toBe('NOT_JOINED');
  });

  it('says what a server that was reached answered', async () => {
    const world = new World();
    world.server.scripts['session.open'] = () => ({ error: 'DEVICE_UNKNOWN' });
    const error = await failure(world.connect({ servers: ['nowhere', 'berth'] }));
    expect(error).toMatchObject({ code: 'DEVICE_UNKNOWN', exitCode: 4 });
    expect(error.servers.map(({ code }) => code)).toEqual(['UNREACHABLE', 'DEVICE_UNKNOWN']);
  });

  it('gives up on a server that is silent and tries the next', async () => {
    const world = new World();
    const silent = new FakeServer(world.time);
    silent.scripts['session.open'] = () => null;
    world.host.network.set('silent:7433', silent);
    const client = await world.connect({ servers: ['silent', 'berth'] });
    expect(client.me?.address).toBe('berth:7433');
    expect(silent.sockets.size).toBe(0);
  });

  it('tries the next while one is slow to say anything, and uses only one', async () => {
    const world = new World();
    const hanging = new FakeServer(world.time);
    world.host.hang.add('hole:7433');
    world.host.network.set('hole:7433', hanging);
    const startMs = world.time.monoMs();
    const client = await world.connect({ servers: ['hole', 'berth'] });
    expect(client.me?.address).toBe('berth:7433');
    expect(world.time.monoMs() - startMs).toBeLessThanOrEqual(1_000);
    await settle();
    expect([hanging.sockets.size, world.host.openSockets.size]).toEqual([0, 1]);
  });

  it('is cancelled by its signal and leaves nothing', async () => {
    const world = new World();
    world.server.scripts['session.open'] = () => null;
    const abort = new AbortController();
    const work = failure(world.connect({ signal: abort.signal }));
    await settle();
    abort.abort();
    expect((await work).code).toBe('CANCELLED');
    await settle();
    expect([world.host.holds, world.time.timers, world.host.openSockets.size]).toEqual([0, 0, 0]);
  });

  it('says who it is: client, process, what it has seen of the journal', async () => {
    const world = new World();
    const first = await world.connect({ client: { name: 'plugin', version: '1.2' } });
    expect(world.server.of('session.open')[0]?.params).toMatchObject({
      binding: 'tls-exporter',
      client: { name: 'plugin', version: '1.2', pid: 1 },
    });
    await first.checkout();
    await world.run(first.close());
    await world.connect();
    expect(world.server.of('session.open')[1]?.params.witness).toMatchObject({ epoch: 'epoch-1', seq: 1 });
  });
});

describe('an open client', () => {
  it('keeps the process alive only while it holds a seat or a request is under way', async () => {
    const world = new World();
    const client = await world.connect();
    expect(world.host.holds).toBe(0);
    const checkout = client.checkout();
    await Promise.resolve();
    const seat = await checkout;
    expect(world.host.holds).toBe(1);
    await seat.release();
    expect(world.host.holds).toBe(0);
  });

  it('gives everything back when it closes, and leaves no handle', async () => {
    const world = new World();
    const client = await world.connect();
    const seats = [await client.checkout(), await client.checkout()];
    await Promise.all([client.close(), client.close()]);
    expect(seats.map(({ state }) => state)).toEqual(['released', 'released']);
    expect(world.server.of('lease.release')).toHaveLength(2);
    await settle();
    expect([world.host.holds, world.time.timers, world.host.openSockets.size]).toEqual([0, 0, 0]);
    expect((await failure(client.checkout())).code).toBe('CANCELLED');
  });

  it('closes in bounded time when the server is gone', async () => {
    const world = new World();
    const client = await world.connect();
    await client.checkout();
    world.cut();
    const startMs = world.time.monoMs();
    await world.run(client.close());
    expect(world.time.monoMs() - startMs).toBeLessThanOrEqual(2_100);
    await settle();
    expect([world.host.holds, world.time.timers]).toEqual([0, 0]);
  });

  it('tells the seats of its product', async () => {
    const world = new World();
    const client = await world.connect();
    expect((await failure(client.status())).code).toBe('NO_PRODUCT');
  });

  it('does not take an answer that is not of the protocol', async () => {
    const world = new World();
    const client = await world.connect();
    const wrong: unknown = { pools: 'none' };
    world.server.scripts['pool.status'] = () => wrong as never;
    expect((await failure(client.status())).code).toBe('INTERNAL');
  });
});

describe('the channels', () => {
  it('open the admin path with the admin key only', async () => {
    const world = new World();
    expect((await failure(openAdminWith(world.host, {}))).code).toBe('NOT_ALLOWED');
    const seed = deviceSeed.map((byte) => byte ^ 1);
    world.files.contents.set('state/studio/admin.key', formatSecretKey(seed));
    const admin = await world.run(openAdminWith(world.host, {}));
    const key = world.host.signingKey(seed).publicKey;
    expect(world.server.of('session.open')[0]?.params.deviceKey).toBe(`ed25519:${encodeBase64Url(key)}`);
    expect(admin.me.user.role).toBe('owner');
    await admin.close();
    await settle();
    expect([world.host.holds, world.time.timers, world.host.openSockets.size]).toEqual([0, 0, 0]);
  });

  it('repeat a request whose answer was lost', async () => {
    const world = new World();
    const lease = await world.run(openLeaseWith(world.host, {}));
    let asked = 0;
    world.server.scripts['pool.status'] = () => (++asked === 1 ? 'drop' : { pools: [], next: null });
    expect(await world.run(lease.call('pool.status', {}))).toEqual({ pools: [], next: null });
    expect(asked).toBe(2);
  });
});

describe('while somebody waits for a connection', () => {
  it('a server that is down is asked ever less often, and each call sees several attempts', async () => {
    const world = new World();
    const client = await world.connect();
    world.cut();
    await world.time.advance(60_000);
    for (let call = 0; call < 2; call++) {
      world.host.dialled.length = 0;
      const error = await failure(world.run(client.status()));
      expect(error.code).toBe('UNREACHABLE');
      expect(world.host.dialled.length).toBeGreaterThanOrEqual(4);
      expect(world.host.dialled.length).toBeLessThanOrEqual(8);
    }
    await world.run(client.close());
  });

  it('one that comes back in the middle of a call is found by it', async () => {
    const world = new World();
    const client = await world.connect();
    world.cut();
    await world.time.advance(60_000);
    const asked = client.checkout();
    await world.time.advance(2_000);
    world.mend();
    const seat = await world.run(asked);
    expect(seat.state).toBe('held');
    await world.run(client.close());
  });
});
