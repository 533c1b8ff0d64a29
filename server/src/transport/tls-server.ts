import { createServer, type Server } from 'node:https';
import { isSignedBy, readCertificates } from './certificate-checks.js';
import type { TransportLimits } from './limits.js';
import { certificateError, listenError } from './listen-error.js';

/** What is spoken here, as TLS names it (RFC 7301). */
const HTTP = 'http/1.1';

/** PEM texts. */
export interface TlsMaterial {
  readonly key: string;
  /** The server's certificate, followed by its intermediates. */
  readonly cert: string;
  readonly ca: string;
}

/**
 * OpenSSL looks for the rest of the chain among these authorities and verifies it anew at each handshake, a tenth of its cost (decision
 * 0014). So it is given them only where a client may have to be sent one: a link that is not itself an authority that clients trust.
 */
function sent({ key, cert, ca }: TlsMaterial): { key: string; cert: string; ca: string | string[] } {
  const authorities = readCertificates({ path: 'ca', text: ca }, '');
  const isComplete = authorities.ok && authorities.value.every((one) => isSignedBy(one, one));
  return { key, cert, ca: isComplete ? [] : ca };
}

/** @throws {ListenError} when key and certificate cannot be used. */
export function tlsServer(tls: TlsMaterial, limits: TransportLimits): Server {
  try {
    const server = createServer({
      ...sent(tls),
      // The channel binding of the handshake relies on the exporter of 1.3 (RFC 9266 section 4.2).
      minVersion: 'TLSv1.3',
      // Of a list Node keeps a copy for each socket, nine bytes that hold a whole page of its buffers: 2.3 KiB for each session. A function is told what a
      // hello offers: one with 8,000 names costs 1.27 ms instead of 0.5, one with 30,000 names 3.6 instead of 0.84.
      ALPNCallback: ({ protocols }) => protocols.find((name) => name === HTTP),
      // The other half is for the wait before it (accepted-sockets.ts).
      handshakeTimeout: limits.handshakeMs / 2,
      maxHeaderSize: limits.headerBytes,
      headersTimeout: limits.headersMs,
      requestTimeout: limits.requestMs,
      keepAliveTimeout: limits.keepAliveMs,
      // Node looks at the timeouts above this often; its default of 30 s would make them 30 s.
      connectionsCheckingInterval: Math.min(1_000, limits.headersMs),
    });
    server.maxConnections = limits.sockets;
    server.maxHeadersCount = limits.headerCount;
    server.maxRequestsPerSocket = limits.requestsPerHttpSocket;
    // A reader that stands still; `ws` lifts it from the sockets it takes over.
    server.timeout = limits.keepAliveMs;
    return server;
  } catch (error) {
    throw certificateError(error);
  }
}

/** New connections get this certificate; open ones stay as they are. @throws {ListenError} when it cannot be used. */
export function replaceTls(server: Server, tls: TlsMaterial): void {
  try {
    server.setSecureContext({ ...sent(tls), minVersion: 'TLSv1.3' });
  } catch (error) {
    throw certificateError(error);
  }
}

/** @throws {ListenError} when the port cannot be had. */
export function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const onError = (error: Error) => reject(listenError(error, host, port));
    server.once('error', onError);
    server.listen({ host, port }, () => {
      server.off('error', onError);
      resolve();
    });
  });
}
