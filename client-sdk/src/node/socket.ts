import { isIP } from 'node:net';
import { connect, createSecureContext, type SecureContext, type TLSSocket } from 'node:tls';
import { BINDING_BYTES, BINDING_LABEL } from '@berth/protocol';
import { WebSocket } from 'ws';
import { BerthError } from '../errors.js';
import type { Socket, SocketEvents, SocketOptions } from '../host.js';
import { cancelled, deferred } from '../waiting.js';
import { reachError } from './reach-error.js';

/** How long a closing handshake may take before the socket is destroyed, ms. */
const CLOSE_MS = 500;

/**
 * A WebSocket over TLS 1.3 that trusts only `caPem`. It never keeps the process alive by itself: `Host.keepAlive` does.
 * @throws BerthError UNREACHABLE, CERTIFICATE_UNTRUSTED, TIMEOUT, CANCELLED
 */
export async function openNodeSocket(
  url: string,
  options: SocketOptions,
  events: SocketEvents,
): Promise<Socket> {
  const { signal } = options;
  if (signal?.aborted === true) throw cancelled();
  const { ws, tls } = startWebSocket(url, options);
  ws.on('message', (data, isBinary) => {
    if (!isBinary) events.onMessage(data.toString());
  });
  ws.on('close', (code) => events.onClose(code));
  await opened(ws, options);
  return new NodeSocket(ws, tls());
}

function startWebSocket(url: string, options: SocketOptions) {
  let tls: TLSSocket | null = null;
  const wsOptions = {
    maxPayload: options.maxFrameBytes,
    perMessageDeflate: false,
    followRedirects: false,
    closeTimeout: CLOSE_MS,
    createConnection: () => {
      tls = connectTls(url, options.caPem);
      return tls;
    },
  };
  return { ws: new WebSocket(url, [options.subprotocol], wsOptions), tls: () => tls };
}

function opened(ws: WebSocket, { signal, timeoutMs }: SocketOptions): Promise<void> {
  const { promise, resolve, reject } = deferred<void>();
  const abandon = (reason: BerthError) => {
    reject(reason);
    ws.terminate();
  };
  // Our own: ws counts idle time, and not before TLS is up on a socket that we made.
  const late = new BerthError('TIMEOUT', { message: `No answer within ${timeoutMs / 1000} s.` });
  const timer = setTimeout(() => abandon(late), timeoutMs).unref();
  const onAbort = () => abandon(cancelled());
  signal?.addEventListener('abort', onAbort, { once: true });
  ws.on('open', () => resolve());
  // Stays: later errors show as 'close', and one without a listener would end the process.
  ws.on('error', (error) => reject(reachError(error)));
  ws.on('unexpected-response', (_request, response) => {
    response.resume();
    abandon(refusedUpgrade(response.statusCode ?? 0));
  });
  return promise.finally(() => {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  });
}

class NodeSocket implements Socket {
  readonly #ws: WebSocket;
  readonly #tls: TLSSocket | null;

  constructor(ws: WebSocket, tls: TLSSocket | null) {
    this.#ws = ws;
    this.#tls = tls;
  }

  send(text: string): void {
    // A failure shows as 'close'.
    this.#ws.send(text, () => undefined);
  }

  close(): void {
    this.#ws.close(1000);
  }

  exporter(): Uint8Array | null {
    const context = Buffer.alloc(0);
    const bytes = this.#tls?.exportKeyingMaterial(BINDING_BYTES, BINDING_LABEL, context);
    return bytes === undefined ? null : new Uint8Array(bytes);
  }
}

/** As ws does it, but unreferenced from the start: a background attempt must not hold the process. */
function connectTls(url: string, caPem: string | undefined): TLSSocket {
  const { hostname, port } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, '');
  const socket = connect({
    host,
    port: Number(port === '' ? 443 : port),
    secureContext: contextOf(caPem),
    servername: isIP(host) === 0 ? host : '',
    ALPNProtocols: ['http/1.1'],
  });
  socket.unref();
  return socket;
}

/** An HTTP answer instead of a WebSocket (PROTOCOL 2.1). */
function refusedUpgrade(status: number): BerthError {
  if (status === 421) return new BerthError('ADMIN_ELSEWHERE');
  const reasons: Readonly<Record<number, string>> = {
    429: 'It has too many requests from this address.',
    503: 'It is shutting down or not ready.',
  };
  const reason = reasons[status] ?? 'It is not a licence server, or speaks another version.';
  return new BerthError('UNREACHABLE', { message: `The server answers with HTTP ${status}. ${reason}` });
}

/** The authorities of the last connection, read once: a client that looks for its server dials again and again. */
let latest: { readonly caPem: string | undefined; readonly context: SecureContext } | null = null;

function contextOf(caPem: string | undefined): SecureContext {
  if (latest === null || latest.caPem !== caPem)
    latest = { caPem, context: createSecureContext({ ca: caPem, minVersion: 'TLSv1.3' }) };
  return latest.context;
}
