import { sign } from 'node:crypto';
import { once } from 'node:events';
import { Agent, request as httpsRequest } from 'node:https';
import { connect } from 'node:tls';
import type { Answer, Handlers } from '@berth/server/transport/api';
import { describe, expect, it, vi } from 'vitest';
import { type HttpIdentity, HttpsClient, newIdentity, newNonce } from '../../system/https-client.js';
import { caPem, type Rig, type RigOptions, startRig } from './rig.js';
import { TestClient } from './test-client.js';

// Signed requests over real TLS: what is let through, what is refused with which word, and what it may cost.

const release = { key: 'k-0123456789abcdef', leases: ['l1'] };
const renew = { nonce: newNonce(), leases: ['l1', 'l2'] };

function enrol(rig: Rig, identity: HttpIdentity, id = 'dev-1'): void {
  const email = `${id}@example.com`;
  rig.roles.set(email, 'user');
  const user = { email, name: 'Ada', role: 'user', state: 'active' } as const;
  rig.devices.set(identity.deviceKey, { path: 'lease', identity: { device: { id, name: 'node' }, user } });
}

async function started(
  options: RigOptions = {},
): Promise<{ rig: Rig; client: HttpsClient; identity: HttpIdentity }> {
  const rig = await startRig({ handlers: { 'lease.release': async () => released }, ...options });
  const identity = newIdentity(rig.serverKey.text);
  enrol(rig, identity);
  const client = new HttpsClient(rig.listener.port, identity);
  await client.renewChallenge();
  return { rig, client, identity };
}

const released: Answer<'lease.release'> = { ok: true, result: { released: ['l1'] } };

describe('a signed request', () => {
  it('reaches the handler of its message, with its device', async () => {
    const handler = vi.fn<Handlers['lease.release']>(async () => released);
    const { client, identity } = await started({ handlers: { 'lease.release': handler } });
    const answer = await client.ask('/v1/release', release);
    expect(answer).toMatchObject({ status: 200, body: { released: ['l1'] }, genuine: true });
    expect(answer.headers).toMatchObject({ 'cache-control': 'no-store', 'content-type': 'application/json' });
    const [params, caller] = handler.mock.calls[0]!;
    expect(params).toEqual(release);
    expect(caller).toMatchObject({
      ...{ path: 'lease', deviceId: 'dev-1', deviceKey: identity.deviceKey },
      ...{ email: 'dev-1@example.com', address: '127.0.0.1', leases: new Set() },
    });
  });

  it('renews the leases it names', async () => {
    const handler = vi.fn<Handlers['lease.renew']>(async (_params, { leases }) => ({
      ok: true,
      result: {
        leases: [...leases].map((lease) => ({ lease, code: 'LEASE_UNKNOWN' as const })),
        entitlements: [],
      },
    }));
    const { client } = await started({ handlers: { 'lease.renew': handler } });
    const { body } = await client.ask('/v1/renew', renew);
    expect(body.leases.map(({ lease }: { lease: string }) => lease)).toEqual(['l1', 'l2']);
  });

  it('refused by the handler: the code, its status, its members, when to ask again, and signed', async () => {
    const detail = { rule: 'ALL_IN_USE', product: 'render', nextFreeAtMs: 1, code: 'NOT_THIS' };
    const handlers = { 'lease.checkout': async () => ({ ok: false, code: 'NO_SEAT', detail }) as const };
    const { client } = await started({ handlers });
    const checkout = { key: 'k-0123456789abcdef', nonce: newNonce() };
    const wants = [{ products: ['render'], seats: 1 }];
    const answer = await client.ask('/v1/checkout', { ...checkout, wants });
    expect(answer).toMatchObject({ status: 409, genuine: true, headers: { 'retry-after': '5' } });
    expect(answer.body).toMatchObject({ ...detail, code: 'NO_SEAT', message: expect.any(String) });
    expect(answer.body.next).toEqual(expect.any(String));
  });

  it('never waits: a checkout that asks for it is told so', async () => {
    const { client } = await started();
    const wants = [{ products: ['render'], seats: 1 }];
    const checkout = { key: 'k-0123456789abcdef', wants, nonce: newNonce() };
    const answer = await client.ask('/v1/checkout', { ...checkout, waitMs: 1000 });
    expect(answer).toMatchObject({ status: 400, body: { code: 'PARAMS_INVALID', field: 'waitMs' } });
  });

  it('of a device or a user that is gone is refused', async () => {
    const { rig, client, identity } = await started();
    rig.roles.delete('dev-1@example.com');
    expect(await client.ask('/v1/release', release)).toMatchObject({
      status: 403,
      body: { code: 'NOT_ALLOWED' },
    });
    rig.devices.delete(identity.deviceKey);
    expect(await client.ask('/v1/release', release)).toMatchObject({
      ...{ status: 403, genuine: true, body: { code: 'DEVICE_UNKNOWN' } },
    });
  });

  it.each([
    ['no JSON', '{', 'FRAME_INVALID'],
    ['no object', '[]', 'PARAMS_INVALID'],
    ['nothing', '', 'FRAME_INVALID'],
    [
      'too many leases',
      { nonce: newNonce(), leases: Array.from({ length: 65 }, (_, i) => `l${i}`) },
      'PARAMS_INVALID',
    ],
    ['a member of the wrong type', { ...renew, leases: 'l1' }, 'PARAMS_INVALID'],
  ])('with %s in its body: 400', async (_, body, code) => {
    const { client } = await started();
    const answer = await client.send(client.wire('/v1/renew', body));
    expect(answer).toMatchObject({ status: 400, genuine: true, body: { code } });
  });

  it('is counted, and its failures are reported like those of a frame', async () => {
    const handlers = { 'lease.release': async () => Promise.reject(new Error('a bug')) };
    const { rig, client } = await started({ handlers });
    expect(await client.ask('/v1/release', release)).toMatchObject({
      status: 500,
      body: { code: 'INTERNAL' },
    });
    await rig.events.first('handlerError', ({ method }) => method === 'lease.release');
    await rig.events.first(
      'request',
      ({ method, code }) => method === 'lease.release' && code === 'INTERNAL',
    );
  });
});

describe('a request that is not what its device signed', () => {
  const other = newIdentity('ed25519:x');

  it.each([
    ['another body', { body: JSON.stringify({ ...release, leases: ['l2'] }) }],
    ['another path', { path: '/v1/renew' }],
    ['another nonce', { sent: { 'Berth-Nonce': newNonce() } }],
    ['the key of another device', { sent: { 'Berth-Device': other.deviceKey } }],
    ['another server in the signature', { signed: { serverKey: other.deviceKey } }],
    ['another method in the signature', { signed: { method: 'GET' } }],
    ['the context of a session', { signed: { context: 'berth.v1 device opens session' } }],
    ['another signature', { sent: { 'Berth-Signature': 'A'.repeat(86) } }],
  ])('%s: 401', async (_, tampering) => {
    const { rig, client } = await started();
    enrol(rig, other, 'dev-2');
    const answer = await client.send(client.wire('/v1/release', release, tampering));
    expect(answer).toMatchObject({ status: 401, body: { code: 'SIGNATURE_INVALID' } });
    expect(answer.headers['www-authenticate']).toBe('Berth');
  });

  it('a challenge the server did not make: 401, with the one to sign', async () => {
    const { client } = await started();
    const right = client.challenge;
    client.challenge = newNonce();
    const answer = await client.send(client.wire('/v1/release', release));
    expect(answer).toMatchObject({ status: 401, genuine: true, body: { code: 'CHALLENGE_STALE' } });
    expect(answer.headers).toMatchObject({ 'berth-challenge': right });
    expect(await client.send(client.wire('/v1/release', release))).toMatchObject({ status: 200 });
  });

  it('the same request twice: 401 the second time, and the handler is asked once', async () => {
    const handler = vi.fn<Handlers['lease.release']>(async () => released);
    const { client } = await started({ handlers: { 'lease.release': handler } });
    const wire = client.wire('/v1/release', release);
    const both = await Promise.all([client.send(wire), client.send(wire)]);
    expect(both.map(({ status }) => status).sort()).toEqual([200, 401]);
    expect(both.find(({ status }) => status === 401)).toMatchObject({ body: { code: 'REQUEST_REPLAYED' } });
    expect(handler).toHaveBeenCalledTimes(1);
  });

  it('an answer that somebody changed is not genuine', async () => {
    const { client } = await started();
    const wire = client.wire('/v1/release', release);
    const swapped = { ...wire, fields: { ...wire.fields, nonce: newNonce() } };
    expect(await client.send(swapped)).toMatchObject({ status: 200, genuine: false });
  });
});

describe('before a signature is looked at', () => {
  it.each([
    ['PUT', { method: 'PUT' }, 405, 'METHOD_REFUSED'],
    ['a query', { path: '/v1/release?x=1' }, 404, 'PATH_UNKNOWN'],
    ['another path', { path: '/v1/other' }, 405, 'METHOD_REFUSED'],
    ['a web page', { sent: { Origin: 'https://evil.example' } }, 403, 'ORIGIN_REFUSED'],
    ['no JSON', { sent: { 'Content-Type': 'text/plain' } }, 415, 'CONTENT_TYPE_REFUSED'],
    ['a malformed key', { sent: { 'Berth-Device': 'ed25519:x' } }, 400, 'HEADERS_INVALID'],
    ['a malformed nonce', { sent: { 'Berth-Nonce': '' } }, 400, 'HEADERS_INVALID'],
    ['17 KiB', { body: 'x'.repeat(17 * 1024) }, 413, 'BODY_TOO_LARGE'],
    [
      '17 KiB in chunks',
      { body: 'x'.repeat(17 * 1024), sent: { 'Transfer-Encoding': 'chunked' } },
      413,
      'BODY_TOO_LARGE',
    ],
  ])('%s is refused', async (_, tampering, status, code) => {
    const { rig, client } = await started();
    const answer = await client.send(client.wire('/v1/release', release, tampering));
    expect(answer).toMatchObject({ status, genuine: false, body: { code } });
    expect(answer.headers.connection).toBe('close');
    await rig.events.first('refused', ({ reason }) => reason === code);
  });

  it('a listener without the lease path has none of this', async () => {
    const rig = await startRig({ listener: { paths: ['admin'] } });
    const client = new HttpsClient(rig.listener.port, newIdentity(rig.serverKey.text));
    expect(await client.send(client.wire('/v1/release', release))).toMatchObject({ status: 405 });
    await expect(client.renewChallenge().then(() => client.challenge)).resolves.toBeUndefined();
  });
});

describe('limits', () => {
  it('requests of one device a second, over sockets and HTTP together', async () => {
    const limits = { requestsPerDevicePerSecond: 1, requestsPerDeviceBurst: 2 };
    const { client } = await started({ limits });
    const answers = [];
    for (let i = 0; i < 4; i++) answers.push(await client.ask('/v1/release', release));
    expect(answers.map(({ status }) => status)).toContain(429);
    const late = answers.find(({ status }) => status === 429);
    expect(late).toMatchObject({ body: { code: 'RATE_LIMITED' }, headers: { 'retry-after': '1' } });
  });

  it('requests of one address a second, before anything is read', async () => {
    const { client } = await started({ limits: { httpRequestsPerAddressPerSecond: 1 } });
    const answers = await Promise.all(
      Array.from({ length: 12 }, () => client.send(client.wire('/v1/release', release))),
    );
    expect(answers.filter(({ status }) => status === 429).length).toBeGreaterThan(5);
  });

  it('requests of one device at once', async () => {
    let finish = (): void => {};
    const held = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const handlers = { 'lease.release': async () => held.then(() => released) };
    const { client } = await started({ handlers, limits: { httpInFlightPerDevice: 2 } });
    const sent = [1, 2, 3].map(() => client.send(client.wire('/v1/release', release)));
    expect(await Promise.race(sent)).toMatchObject({ status: 429, body: { code: 'BUSY' } });
    finish();
    expect((await Promise.all(sent)).map(({ status }) => status).sort()).toEqual([200, 200, 429]);
    expect(await client.ask('/v1/release', release)).toMatchObject({ status: 200 });
  });

  it('nonces remembered of one device', async () => {
    const { client } = await started({ limits: { httpNoncesPerDevice: 2 } });
    for (const status of [200, 200, 429])
      expect(await client.ask('/v1/release', release)).toMatchObject({ status });
  });

  it('a body that comes slowly is given up, and holds up nobody', async () => {
    const { rig, client } = await started({ limits: { requestMs: 1500, headersMs: 1000 } });
    const slow = connect({ port: rig.listener.port, host: '127.0.0.1', ca: caPem });
    const closed = once(slow, 'close');
    slow.resume().on('error', () => {});
    const { headers } = client.wire('/v1/release', release);
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    slow.write(`POST /v1/release HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n${lines.join('')}\r\n{`);
    const answers = await Promise.all([1, 2, 3].map(() => client.ask('/v1/release', release)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    await closed;
  });
});

describe('sessions of the same device', () => {
  it('from another address are superseded; from the same one they stay', async () => {
    const { rig, client, identity } = await started({
      handlers: {
        'lease.release': async () => released,
        'pool.status': async () => ({ ok: true, result: { pools: [], next: null } }),
      },
    });
    const keys = { text: identity.deviceKey, sign: signerOf(identity) };
    const socket = await TestClient.open(rig, keys);
    expect(await client.ask('/v1/release', release)).toMatchObject({ status: 200 });
    await socket.call('pool.status', {});
    const elsewhere = new HttpsClient(rig.listener.port, identity, '127.0.0.2');
    expect(await elsewhere.ask('/v1/release', release)).toMatchObject({ status: 200 });
    expect(await socket.closed).toBe(4409);
    expect(await rig.events.first('superseded')).toMatchObject({ by: '127.0.0.2' });
  });
});

describe('draining', () => {
  it('answers what was read, refuses what comes, and then closes', async () => {
    let finish = (): void => {};
    const held = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const asked = vi.fn<Handlers['lease.release']>(async () => held.then(() => released));
    const { rig, client } = await started({ handlers: { 'lease.release': asked } });
    const first = client.send(client.wire('/v1/release', release));
    await vi.waitFor(() => expect(asked).toHaveBeenCalled());
    const agent = new Agent({ keepAlive: true, ca: caPem });
    const kept = httpsRequest({ port: rig.listener.port, path: '/livez', agent });
    kept.end();
    await once(kept, 'response');
    const drained = rig.listener.drain(10_000);
    finish();
    expect(await first).toMatchObject({ status: 200, genuine: true, headers: { connection: 'close' } });
    await drained;
    agent.destroy();
  });
});

function signerOf({ secret }: HttpIdentity): (message: Uint8Array) => Uint8Array {
  return (message) => sign(null, message, secret);
}
