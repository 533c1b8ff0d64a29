import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { request } from 'node:https';
import { connect as connectTls } from 'node:tls';
import { parsePublicKey, parseToken } from '@berth/protocol';
import { ListenError, listenError } from '@berth/server/transport/listen-error';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { caPem, type Rig, startRig, tls, verifyEd25519 } from './rig.js';
import { newNonce, TestClient } from './test-client.js';

interface Page {
  readonly status: number | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
  readonly json: () => Record<string, unknown>;
}

async function fetchPage(
  rig: Rig,
  path: string,
  method = 'GET',
  headers: OutgoingHttpHeaders = {},
  localAddress = '127.0.0.1',
): Promise<Page> {
  const sent = request({
    host: '127.0.0.1',
    port: rig.listener.port,
    path,
    method,
    headers,
    localAddress,
    ca: caPem,
    agent: false,
  });
  sent.end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  return readPage(response);
}

async function readPage(response: IncomingMessage): Promise<Page> {
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) text += chunk;
  return { status: response.statusCode, headers: response.headers, text, json: () => JSON.parse(text) };
}

/** The refusal of an upgrade. */
async function refusedUpgrade(
  rig: Rig,
  path: string,
  protocols: string[],
  headers: Record<string, string> = {},
): Promise<Page> {
  const socket = new WebSocket(`wss://127.0.0.1:${rig.listener.port}${path}`, protocols, {
    ca: caPem,
    headers,
  });
  const [, response] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage];
  return readPage(response);
}

describe('pages', () => {
  it('/livez and /readyz say how it stands', async () => {
    let ready = { ok: false, reason: 'replaying the journal' };
    const rig = await startRig({
      listener: {
        http: {
          live: () => ({ ok: true, reason: 'running' }),
          ready: () => ready,
          metrics: () => Promise.reject(new Error('a bug')),
          caPem,
        },
      },
    });
    expect(await fetchPage(rig, '/livez')).toMatchObject({
      status: 200,
      text: '{"status":"ok","reason":"running"}',
    });
    const starting = await fetchPage(rig, '/readyz');
    expect(starting.status).toBe(503);
    expect(starting.json()).toEqual({ status: 'unavailable', reason: 'replaying the journal' });
    ready = { ok: true, reason: 'serving' };
    expect((await fetchPage(rig, '/readyz?x=1')).status).toBe(200);
    expect((await fetchPage(rig, '/metrics')).json()).toMatchObject({ code: 'INTERNAL' });
    await rig.events.first('handlerError', ({ method }) => method === null);
  });

  it('/metrics passes on what it is given, and HEAD is GET without the body', async () => {
    const rig = await startRig();
    const page = await fetchPage(rig, '/metrics');
    expect(page).toMatchObject({ status: 200, text: 'berth_up 1\n' });
    expect(page.headers['content-type']).toBe('text/plain; version=0.0.4');
    const head = await fetchPage(rig, '/metrics', 'HEAD');
    expect(head).toMatchObject({ status: 200, text: '' });
    expect(head.headers['content-length']).toBe('11');
  });

  it('/metrics is rendered once a second, however many ask', async () => {
    let [nowMs, rendered] = [1_000, 0];
    const metrics = async () => ({ contentType: 'text/plain', body: `${++rendered}` });
    const health = () => ({ ok: true, reason: 'serving' });
    const rig = await startRig({
      gate: { monoMs: () => nowMs },
      listener: { http: { live: health, ready: health, metrics, caPem } },
    });
    expect((await fetchPage(rig, '/metrics')).text).toBe('1');
    nowMs += 999;
    expect((await fetchPage(rig, '/metrics')).text).toBe('1');
    nowMs += 1;
    expect((await fetchPage(rig, '/metrics')).text).toBe('2');
  });

  it('that all addresses together ask for too often are refused, but not to one that asks now and then', async () => {
    // The clock stands: every handshake must be in the first burst.
    const limits = { httpPagesPerSecond: 2, httpCalmPerAddressPerSecond: 1, tlsHandshakesPerSecond: 1_000 };
    const rig = await startRig({ limits, gate: { monoMs: () => 0 } });
    const codes: (number | undefined)[] = [];
    for (let nth = 0; nth < 4; nth++) codes.push((await fetchPage(rig, '/livez')).status);
    expect(codes).toEqual([200, 200, 200, 429]);
    expect((await fetchPage(rig, '/livez', 'GET', {}, '127.0.0.2')).status).toBe(200);
    expect((await fetchPage(rig, '/livez', 'GET', {}, '127.0.0.2')).status).toBe(429);
  });

  it('are answered one after the other on a connection; who does not wait loses it, and the rest is not even parsed', async () => {
    const rig = await startRig();
    const socket = connectTls({ host: '127.0.0.1', port: rig.listener.port, ca: caPem });
    let heard = '';
    socket.setEncoding('utf8').on('data', (part) => {
      heard += part;
    });
    socket.on('error', () => {});
    const get = 'GET /livez HTTP/1.1\r\nHost: x\r\n\r\n';
    for (let nth = 1; nth <= 3; nth++) {
      socket.write(get);
      await expect.poll(() => heard.match(/HTTP\/1\.1 200/g)?.length, { timeout: 15_000 }).toBe(nth);
    }
    const closed = once(socket, 'close');
    socket.write(get.repeat(400));
    await closed;
    expect(heard.match(/HTTP/g)).toHaveLength(3);
    const refused = rig.events.all.filter(
      (event) => event.type === 'refused' && event.reason === 'HTTP_PIPELINED',
    );
    expect(refused).toHaveLength(1);
  });

  it('/ca gives the authority, signed with the key of the server', async () => {
    const rig = await startRig();
    const nonce = newNonce();
    const { ca, token } = (await fetchPage(rig, `/ca?nonce=${nonce}`)).json();
    expect(ca).toBe(caPem);
    const parsed = parseToken('authority', String(token));
    if (!parsed.ok) throw new Error(parsed.fault);
    const { claims, signed, signature } = parsed.token;
    expect(claims).toMatchObject({ nonce, sha256: createHash('sha256').update(caPem).digest('base64url') });
    expect(Math.abs(claims.iat - Date.now() / 1000)).toBeLessThan(60);
    expect(verifyEd25519(parsePublicKey(rig.serverKey.text)!, signed, signature)).toBe(true);
  });

  it.each(['/ca', '/ca?nonce=', '/ca?nonce=short', `/ca?nonce=${'a'.repeat(22)}&nonce=${'b'.repeat(22)}`])(
    '%s is refused',
    async (path) => {
      const page = await fetchPage(await startRig(), path);
      expect(page.status).toBe(400);
      expect(page.json()).toMatchObject({ code: 'NONCE_INVALID' });
    },
  );

  it('other paths, methods, bodies and floods are refused', async () => {
    const rig = await startRig({ limits: { httpRequestsPerAddressPerSecond: 4 } });
    expect((await fetchPage(rig, '/')).status).toBe(404);
    expect((await fetchPage(rig, '/v1/lease')).json()).toMatchObject({ code: 'PATH_UNKNOWN' });
    const posted = await fetchPage(rig, '/livez', 'POST', { 'content-length': 0 });
    expect(posted).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD', connection: 'close' } });
    expect((await fetchPage(rig, `/livez?${'x'.repeat(2000)}`)).status).toBe(414);
    expect((await fetchPage(rig, `/livez`, 'GET', { cookie: 'x'.repeat(20_000) })).status).toBe(431);
    const flood = await Promise.all(Array.from({ length: 12 }, () => fetchPage(rig, '/livez')));
    expect(flood.map(({ status }) => status)).toContain(429);
  });

  it('are not for web pages of other origins', async () => {
    const rig = await startRig();
    const page = await fetchPage(rig, '/livez', 'GET', { origin: 'https://evil.example' });
    expect(page.status).toBe(403);
    expect(page.json()).toMatchObject({ code: 'ORIGIN_REFUSED' });
    expect(page.headers).not.toHaveProperty('access-control-allow-origin');
  });

  it('may be read by pages of an allowed origin, and by no other', async () => {
    const rig = await startRig({ listener: { allowedOrigins: ['https://studio.example'] } });
    const page = await fetchPage(rig, '/livez', 'GET', { origin: 'https://studio.example' });
    expect(page.headers).toMatchObject({
      'access-control-allow-origin': 'https://studio.example',
      vary: 'origin',
    });
    const evil = await fetchPage(rig, '/livez', 'POST', { origin: 'https://evil.example' });
    expect(evil.headers).not.toHaveProperty('access-control-allow-origin');
    expect((await fetchPage(rig, '/livez')).headers).not.toHaveProperty('vary');
  });
});

describe('upgrades', () => {
  it('need the subprotocol', async () => {
    const rig = await startRig();
    for (const offered of [[], ['berth.v2'], ['chat', 'berth.v11']]) {
      const page = await refusedUpgrade(rig, '/v1/lease', offered);
      expect(page.status).toBe(400);
      expect(page.json()).toMatchObject({ code: 'SUBPROTOCOL_REQUIRED', next: expect.any(String) });
    }
    await rig.events.first('refused', ({ reason }) => reason === 'SUBPROTOCOL_REQUIRED');
  });

  it('are for the two paths only, and for those this listener has', async () => {
    const rig = await startRig({ listener: { paths: ['lease'] } });
    for (const path of ['/', '/v1', '/v1/lease/']) {
      expect(await refusedUpgrade(rig, path, ['berth.v1'])).toMatchObject({ status: 404 });
    }
    expect(await refusedUpgrade(rig, '/v1/admin', ['berth.v1'])).toMatchObject({ status: 421 });
    expect((await TestClient.connect(rig, 'lease')).challenge.versions).toEqual(['berth.v1']);
  });

  it('from a web page are refused unless its origin is allowed', async () => {
    const rig = await startRig({ listener: { allowedOrigins: ['https://studio.example'] } });
    const evil = { origin: 'https://evil.example' };
    expect(await refusedUpgrade(rig, '/v1/lease', ['berth.v1'], evil)).toMatchObject({ status: 403 });
    const older = { 'sec-websocket-origin': 'https://evil.example' };
    expect(await refusedUpgrade(rig, '/v1/lease', ['berth.v1'], older)).toMatchObject({ status: 403 });
    await TestClient.connect(rig, 'lease', { origin: 'https://studio.example' });
  });

  it('that are no WebSocket handshake get an answer too', async () => {
    const rig = await startRig();
    const headers = { connection: 'upgrade', upgrade: 'websocket', 'sec-websocket-protocol': 'berth.v1' };
    const page = await fetchPage(rig, '/v1/lease', 'GET', headers);
    expect(page.status).toBe(400);
    expect(page.json()).toMatchObject({ code: 'UPGRADE_INVALID' });
  });
});

describe('TLS', () => {
  it('is 1.3 or nothing', async () => {
    const rig = await startRig();
    const socket = connectTls({
      port: rig.listener.port,
      host: '127.0.0.1',
      ca: caPem,
      maxVersion: 'TLSv1.2',
    });
    await once(socket, 'error');
    expect(await rig.events.first('refused')).toMatchObject({
      reason: 'TLS_HANDSHAKE',
      address: '127.0.0.1',
    });
  });

  it('handshakes of one address are limited before they cost anything', async () => {
    const rig = await startRig({ limits: { tlsHandshakesPerAddressPerSecond: 1 } });
    await TestClient.connect(rig);
    await expect(TestClient.connect(rig)).rejects.toThrow();
    await rig.events.first('refused', ({ reason }) => reason === 'HANDSHAKE_RATE');
  });
});

describe('starting', () => {
  it('says that the port is taken', async () => {
    const rig = await startRig();
    const second = startRig({ listener: { port: rig.listener.port } });
    await expect(second).rejects.toMatchObject({ code: 'PORT_TAKEN', next: expect.any(String) });
  });

  it('says that the certificate is of no use', async () => {
    const material = { ...tls, key: 'not a key' };
    await expect(startRig({ listener: { tls: material } })).rejects.toMatchObject({
      code: 'CERTIFICATE_INVALID',
    });
  });

  it('says that the address is not one of this machine', async () => {
    await expect(startRig({ listener: { host: '192.0.2.1' } })).rejects.toMatchObject({
      code: 'HOST_UNKNOWN',
    });
  });

  it('says that the port is forbidden', () => {
    const refused = Object.assign(new Error('listen EACCES'), { code: 'EACCES' });
    const error = listenError(refused, '0.0.0.0', 443);
    expect(error).toBeInstanceOf(ListenError);
    expect(error.code).toBe('PORT_FORBIDDEN');
  });
});
