import { once } from 'node:events';
import { createServer as createHttps, type Server as HttpsServer } from 'node:https';
import { type AddressInfo, createServer as createTcp, type Server, type Socket as TcpSocket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { BerthError, nodeHost, type Socket, type SocketOptions } from '@berth/client';
import {
  createAuthority,
  issueServerCertificate,
  type KeyedCertificate,
} from '@berth/server/transport/certificates';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';

const host = nodeHost();
const nowMs = Date.now();
let authority: KeyedCertificate;
let server: HttpsServer;
let sockets: WebSocketServer;
let port = 0;
/** The server's ends. */
const accepted: { ws: WebSocket; tls: TLSSocket }[] = [];
const opened: Socket[] = [];
let status = 0;

beforeAll(async () => {
  authority = await createAuthority('test', nowMs);
  const names = ['localhost', '127.0.0.1'];
  const { keyPem, certPem } = await issueServerCertificate(authority, { names, days: 1, nowMs });
  server = createHttps({ key: keyPem, cert: certPem });
  sockets = new WebSocketServer({ noServer: true, handleProtocols: () => 'berth.v1' });
  server.on('request', (_request, response) => response.writeHead(200).end('the page'));
  server.on('upgrade', (request, tcp, head) => {
    if (status !== 0) return void tcp.end(`HTTP/1.1 ${status} No\r\ncontent-length: 0\r\n\r\n`);
    sockets.handleUpgrade(request, tcp, head, (ws) => {
      accepted.push({ ws, tls: request.socket as TLSSocket });
      ws.on('message', (data) => ws.send(`echo ${data}`));
      ws.send('hello');
    });
  });
  port = await listen(server);
});

afterEach(() => {
  status = 0;
  for (const socket of opened.splice(0)) socket.close();
  accepted.splice(0);
});

afterAll(async () => {
  server.closeAllConnections();
  for (const client of sockets.clients) client.terminate();
  server.close();
  await once(server, 'close');
});

async function listen(listener: Server | HttpsServer): Promise<number> {
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  return (listener.address() as AddressInfo).port;
}

interface Heard {
  readonly frames: string[];
  readonly closed: Promise<number>;
}

async function open(
  url = `wss://localhost:${port}/v1/lease`,
  more: Partial<SocketOptions> = {},
): Promise<Heard & { socket: Socket }> {
  const frames: string[] = [];
  let onClose: (code: number) => void = () => {};
  const closed = new Promise<number>((resolve) => {
    onClose = resolve;
  });
  const options = {
    subprotocol: 'berth.v1',
    caPem: authority.certPem,
    timeoutMs: 2_000,
    maxFrameBytes: 10_000,
    ...more,
  };
  const events = { onMessage: (text: string) => frames.push(text), onClose: (code: number) => onClose(code) };
  const socket = await host.openSocket(url, options, events);
  opened.push(socket);
  return { socket, frames, closed };
}

async function failure(work: Promise<unknown>): Promise<BerthError> {
  const error = await work.then(
    () => new Error('it succeeded'),
    (thrown: unknown) => thrown,
  );
  if (error instanceof BerthError) return error;
  throw error;
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

describe('a socket', () => {
  it('carries frames both ways, the first one too, and exports what binds it to its TLS connection', async () => {
    const { socket, frames } = await open();
    socket.send('x');
    await until(() => frames.length === 2);
    expect(frames).toEqual(['hello', 'echo x']);
    const theirs = accepted[0]!.tls.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0));
    expect(Buffer.from(socket.exporter()!).equals(theirs)).toBe(true);
    expect(accepted[0]!.tls.getProtocol()).toBe('TLSv1.3');
  });

  it('reaches an address without a name', async () => {
    const { frames } = await open(`wss://127.0.0.1:${port}/v1/lease`);
    await until(() => frames.length === 1);
  });

  it('tells the close code of the server, 1006 for a broken one, and a frame that is too large ends it', async () => {
    const closing = await open();
    accepted[0]!.ws.close(4409);
    expect(await closing.closed).toBe(4409);
    const broken = await open();
    accepted[1]!.tls.destroy();
    expect(await broken.closed).toBe(1006);
    const flooded = await open();
    accepted[2]!.ws.send('x'.repeat(10_001));
    await flooded.closed;
    expect(flooded.frames).toEqual(['hello']);
  });

  it('closes even when the other end does not answer', async () => {
    const { socket, closed } = await open();
    accepted[0]!.tls.pause();
    socket.close();
    await closed;
  });

  it('does not keep the process alive', async () => {
    const before = process.getActiveResourcesInfo().filter((name) => name.startsWith('T')).length;
    await open();
    // The server's own end is referenced, ours is not.
    const after = process.getActiveResourcesInfo().filter((name) => name.startsWith('T')).length;
    expect(after - before).toBeLessThanOrEqual(1);
  });
});

describe('a server that cannot be used', () => {
  it('has another authority, or another name', async () => {
    const foreign = await createAuthority('somebody else', nowMs);
    expect((await failure(open(undefined, { caPem: foreign.certPem }))).code).toBe('CERTIFICATE_UNTRUSTED');
    const { keyPem, certPem } = await issueServerCertificate(authority, {
      names: ['other.example'],
      days: 1,
      nowMs,
    });
    const misnamed = createHttps({ key: keyPem, cert: certPem });
    const url = `wss://localhost:${await listen(misnamed)}/v1/lease`;
    expect((await failure(open(url))).code).toBe('CERTIFICATE_UNTRUSTED');
    misnamed.close();
  });

  it('is not there', async () => {
    expect(await failure(open('wss://127.0.0.1:1/v1/lease'))).toMatchObject({
      code: 'UNREACHABLE',
      message: 'Nothing listens there.',
    });
    expect((await failure(open('wss://no-such-host.invalid:7433/v1/lease'))).code).toBe('UNREACHABLE');
  });

  it('speaks something else, or nothing at all', async () => {
    const held: TcpSocket[] = [];
    const mute = createTcp((tcp) => held.push(tcp));
    const silent = await failure(open(`wss://127.0.0.1:${await listen(mute)}/`, { timeoutMs: 200 }));
    expect(silent.code).toBe('TIMEOUT');
    const plain = createTcp((tcp) => void tcp.on('error', () => {}).end('220 mail\r\n'));
    expect((await failure(open(`wss://127.0.0.1:${await listen(plain)}/`))).code).toBe('UNREACHABLE');
    for (const tcp of held) tcp.destroy();
    mute.close();
    plain.close();
  });

  it.each([404, 429, 503])('answers with HTTP %i', async (code) => {
    status = code;
    const error = await failure(open());
    expect(error.code).toBe('UNREACHABLE');
    expect(error.message).toContain(String(code));
  });

  it('does not speak the subprotocol', async () => {
    expect((await failure(open(undefined, { subprotocol: 'berth.v9' }))).code).toBe('UNREACHABLE');
  });

  it('is not waited for once the caller has cancelled', async () => {
    const mute = createTcp();
    const abort = new AbortController();
    const url = `wss://127.0.0.1:${await listen(mute)}/`;
    const work = failure(open(url, { signal: abort.signal }));
    abort.abort();
    expect((await work).code).toBe('CANCELLED');
    expect((await failure(open(undefined, { signal: abort.signal }))).code).toBe('CANCELLED');
    mute.close();
  });
});

describe('fetching a page whose answer proves itself', () => {
  it('does not look at the certificate', async () => {
    expect(await host.fetchUnchecked(`https://127.0.0.1:${port}/ca`, 2_000)).toBe('the page');
  });

  it('says when there is none', async () => {
    expect((await failure(host.fetchUnchecked('https://127.0.0.1:1/ca', 2_000))).code).toBe('UNREACHABLE');
    const held: TcpSocket[] = [];
    const mute = createTcp((tcp) => held.push(tcp));
    const url = `https://127.0.0.1:${await listen(mute)}/ca`;
    expect((await failure(host.fetchUnchecked(url, 200))).code).toBe('TIMEOUT');
    expect((await failure(host.fetchUnchecked(url, 2_000, AbortSignal.abort()))).code).toBe('CANCELLED');
    for (const tcp of held) tcp.destroy();
    mute.close();
  });
});
