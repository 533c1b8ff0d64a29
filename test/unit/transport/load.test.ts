import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { closeCodes } from '@berth/protocol';
import type { Answer } from '@berth/server/transport/api';
import { describe, expect, it } from 'vitest';
import { caPem, type Rig, startRig } from './rig.js';
import { newNonce, TestClient } from './test-client.js';

/** What a client of TLS begins with. */
async function someHello(): Promise<Buffer> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connectTls({ port: (server.address() as AddressInfo).port, host: '127.0.0.1' });
  client.on('error', () => {});
  const [socket] = (await once(server, 'connection')) as [Socket];
  const [hello] = (await once(socket, 'data')) as [Buffer];
  client.destroy();
  socket.destroy();
  server.close();
  return hello;
}

type Pools = Answer<'pool.status'>;
const emptyPools: Pools = { ok: true, result: { pools: [], next: null } };

describe('requests', () => {
  it('beyond those in flight on one socket are BUSY', async () => {
    const pending: ((answer: Pools) => void)[] = [];
    const rig = await startRig({
      limits: { inFlightPerSocket: 2 },
      handlers: { 'pool.status': () => new Promise((resolve) => pending.push(resolve)) },
    });
    const client = await TestClient.open(rig, rig.enrolled());
    const ids = [client.post('pool.status'), client.post('pool.status'), client.post('pool.status')];
    expect(await client.reply(ids[2]!)).toMatchObject({ code: 'BUSY' });
    for (const resolve of pending.splice(0)) resolve(emptyPools);
    expect((await client.reply(ids[0]!)).code).toBeUndefined();
    const later = client.post('pool.status');
    await client.reply(ids[1]!);
    await expect.poll(() => pending.length).toBe(1);
    pending[0]!(emptyPools);
    expect((await client.reply(later)).code).toBeUndefined();
  });

  it('beyond the rate of a device are RATE_LIMITED, over all its sockets', async () => {
    const rig = await startRig({
      limits: { requestsPerDevicePerSecond: 0.001 },
      handlers: { 'pool.status': async () => emptyPools },
    });
    const device = rig.enrolled();
    const [one, two] = [await TestClient.open(rig, device), await TestClient.open(rig, device)];
    const other = await TestClient.open(rig, rig.enrolled('lease', 'user', 'dev-2'));
    await one.call('pool.status', {});
    expect(await two.request('pool.status')).toMatchObject({ code: 'RATE_LIMITED' });
    await other.call('pool.status', {});
  });

  it('that sign many leases count as many', async () => {
    const limits = { requestsPerDevicePerSecond: 20, signaturesPerRequest: 4 };
    const rig = await startRig({
      limits,
      gate: { monoMs: () => 0 },
      handlers: {
        'lease.renew': async () => ({ ok: true, result: { leases: [], entitlements: [] } }),
        'pool.status': async (_params, caller) => {
          for (let lease = 0; lease < 64; lease++) caller.leases.add(`l-${lease}`);
          return emptyPools;
        },
      },
    });
    const client = await TestClient.open(rig, rig.enrolled());
    const renew = () => client.request('lease.renew', { nonce: newNonce() });
    // Forty requests at once: one, one that binds 64 leases, two renewals of seventeen; what is left is not enough for another.
    expect(await renew()).toMatchObject({ code: undefined });
    await client.call('pool.status', {});
    for (let nth = 0; nth < 2; nth++) expect(await renew()).toMatchObject({ code: undefined });
    expect(await renew()).toMatchObject({ code: 'RATE_LIMITED' });
    await client.call('pool.status', {});
  });

  it('that show tokens count what checking them costs', async () => {
    const rig = await startRig({
      limits: { requestsPerDevicePerSecond: 4, signaturesPerRequest: 4 },
      gate: { monoMs: () => 0 },
      handlers: { 'lease.renew': async () => ({ ok: true, result: { leases: [], entitlements: [] } }) },
    });
    const client = await TestClient.open(rig, rig.enrolled());
    const tokens = Array.from({ length: 10 }, () => 'berth.lease.v1.AA.AA');
    const renew = () => client.request('lease.renew', { nonce: newNonce(), tokens });
    // Eight requests at once, and ten tokens are two signatures each: six.
    expect((await renew()).code).not.toBe('RATE_LIMITED');
    expect(await renew()).toMatchObject({ code: 'RATE_LIMITED' });
  });

  it('that stay beyond the rate end in FLOOD, on whichever of the sockets of the device', async () => {
    const rig = await startRig({
      limits: { requestsPerDevicePerSecond: 0.001, faultBurst: 5, faultsPerSecond: 0.001 },
      handlers: { 'pool.status': async () => emptyPools },
    });
    const device = rig.enrolled();
    const one = await TestClient.open(rig, device);
    const two = await TestClient.open(rig, device);
    const other = await TestClient.open(rig, rig.enrolled('lease', 'user', 'dev-2'));
    await one.call('pool.status', {});
    for (let nth = 0; nth < 3; nth++) await one.request('pool.status');
    for (let nth = 0; nth < 3; nth++) two.post('pool.status');
    expect(await two.closed).toBe(closeCodes.FLOOD.number);
    expect(one.socket.readyState).toBe(one.socket.OPEN);
    await other.call('pool.status', {});
  });

  it('that stay beyond the rate end in FLOOD', async () => {
    const rig = await startRig({
      limits: {
        requestsPerDevicePerSecond: 0.001,
        faultBurst: 5,
        faultsPerSecond: 0.001,
      },
      handlers: { 'pool.status': async () => emptyPools },
    });
    const client = await TestClient.open(rig, rig.enrolled());
    for (let i = 0; i < 10; i++) client.post('pool.status');
    expect(await client.closed).toBe(closeCodes.FLOOD.number);
    expect(await rig.events.first('sessionClosed')).toMatchObject({ reason: 'FLOOD' });
  });
});

describe('a flood', () => {
  const limits = { faultBurst: 30, faultsPerSecond: 0.001 };

  it('of malformed frames is cut', async () => {
    const rig = await startRig({ limits });
    const client = await TestClient.connect(rig);
    for (let i = 0; i < 40; i++) client.socket.send('nonsense');
    expect(await client.closed).toBe(closeCodes.FLOOD.number);
    await rig.events.first('refused', ({ reason }) => reason === 'FLOOD');
  });

  it('of guesses at a session is cut sooner', async () => {
    const rig = await startRig({ limits });
    const client = await TestClient.connect(rig);
    const wrong = client.openParams(rig.enrolled(), { serverNonce: newNonce() });
    for (let i = 0; i < 4; i++) client.post('session.open', wrong);
    expect(await client.closed).toBe(closeCodes.FLOOD.number);
  });

  it('of pings is cut', async () => {
    const rig = await startRig({ limits });
    const client = await TestClient.connect(rig);
    for (let i = 0; i < 40; i++) client.socket.ping();
    expect(await client.closed).toBe(closeCodes.FLOOD.number);
  });
});

describe('a socket', () => {
  it('that opens no session in time is closed', async () => {
    const rig = await startRig({ limits: { handshakeMs: 500 } });
    const client = await TestClient.connect(rig);
    expect(await client.closed).toBe(closeCodes.UNAUTHENTICATED.number);
    await rig.events.first('refused', ({ reason }) => reason === 'UNAUTHENTICATED');
  });

  it('with a session outlives the time for the handshake', async () => {
    const rig = await startRig({ limits: { handshakeMs: 1_000 } });
    const [opened, idle] = [await TestClient.open(rig, rig.enrolled()), await TestClient.connect(rig)];
    await idle.closed;
    expect(opened.socket.readyState).toBe(opened.socket.OPEN);
  });

  it.each([
    ['half a hello', 'TLS_HANDSHAKE', (hello: Buffer) => hello.subarray(0, 100)],
    ['a hello, and then nothing', 'TLS_HANDSHAKE', (hello: Buffer) => hello],
    ['what is no TLS', 'TLS_HANDSHAKE', () => Buffer.from('GET / HTTP/1.1\r\n\r\n')],
  ])('with %s is cut, and counted once', async (_, reason, said) => {
    const rig = await startRig({ limits: { handshakeMs: 400 } });
    const socket = connect(rig.listener.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write(said(await someHello()));
    await once(socket.resume(), 'close');
    // Whoever is answered to has the place until then.
    await TestClient.open(rig, rig.enrolled());
    const refused = rig.events.all.filter(({ type }) => type === 'refused');
    expect(refused).toEqual([{ type: 'refused', reason, address: '127.0.0.1' }]);
  });

  it('that says nothing after TLS is closed', async () => {
    const rig = await startRig({ limits: { headersMs: 100 } });
    const socket = connectTls({ port: rig.listener.port, host: '127.0.0.1', ca: caPem });
    await once(socket, 'secureConnect');
    socket.resume();
    await once(socket, 'close');
  });

  it('that stops answering pings is cut', async () => {
    const rig = await startRig({ limits: { pingMs: 40 } });
    const alive = await TestClient.open(rig, rig.enrolled('lease', 'user', 'dev-2'));
    const dead = await TestClient.open(rig, rig.enrolled(), 'lease', { autoPong: false });
    expect(await dead.closed).toBe(1006);
    expect(await rig.events.first('sessionClosed')).toMatchObject({
      reason: 'UNRESPONSIVE',
      session: { deviceId: 'dev-1' },
    });
    expect(alive.socket.readyState).toBe(alive.socket.OPEN);
  });

  it('that asks for something is not pinged; once it says nothing it is, and cut when it does not answer', async () => {
    const rig = await startRig({
      limits: { pingMs: 50 },
      handlers: { 'pool.status': async () => ({ ok: true, result: { pools: [], next: null } }) },
    });
    const idle = await TestClient.open(rig, rig.enrolled('lease', 'user', 'dev-2'));
    const client = await TestClient.open(rig, rig.enrolled(), 'lease', { autoPong: false });
    let pings = 0;
    client.socket.on('ping', () => pings++);
    for (let looks = 0; looks < 10; looks++) {
      await once(idle.socket, 'ping');
      await client.request('pool.status');
    }
    expect(pings).toBeLessThan(5);
    expect(await client.closed).toBe(1006);
    expect(await rig.events.first('sessionClosed')).toMatchObject({ reason: 'UNRESPONSIVE' });
  });

  it('that does not read its answers is cut', async () => {
    const bulk = 'x'.repeat(200 * 1024);
    const rig: Rig = await startRig({
      limits: { bufferedBytes: 256 * 1024, inFlightPerSocket: 1000 },
      handlers: { 'pool.status': async () => ({ ok: true, result: { pools: [], next: bulk } }) },
    });
    const client = await TestClient.open(rig, rig.enrolled());
    client.socket.pause();
    for (let i = 0; i < 200; i++) client.post('pool.status');
    expect(await rig.events.first('sessionClosed')).toMatchObject({ reason: 'SLOW_READER' });
    expect(rig.listener.sessions.count).toBe(0);
  });
});

describe('an address', () => {
  it('has a limit of sockets without a session, and gets the place back', async () => {
    const rig = await startRig({ limits: { unauthenticatedPerAddress: 1 } });
    const first = await TestClient.connect(rig);
    await expect(TestClient.connect(rig)).rejects.toThrow();
    await rig.events.first('refused', ({ reason }) => reason === 'UNAUTHENTICATED_PER_ADDRESS');
    const elsewhere = await TestClient.connect(rig, 'lease', { localAddress: '127.0.0.2' });
    expect(elsewhere.socket.readyState).toBe(elsewhere.socket.OPEN);

    await first.call('session.open', first.openParams(rig.enrolled()));
    const second = await TestClient.connect(rig);
    second.socket.close();
    await second.closed;
    await expect
      .poll(() =>
        TestClient.connect(rig).then(
          () => true,
          () => false,
        ),
      )
      .toBe(true);
  });

  it('has a limit of sockets', async () => {
    const rig = await startRig({ limits: { socketsPerAddress: 1 } });
    await TestClient.open(rig, rig.enrolled());
    await expect(TestClient.connect(rig)).rejects.toThrow();
    await rig.events.first('refused', ({ reason }) => reason === 'SOCKETS_PER_ADDRESS');
  });
});
