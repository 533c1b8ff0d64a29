import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { type PathName, paths, SUBPROTOCOL } from '@berth/protocol';
import { type ServerOptions, type WebSocket, WebSocketServer } from 'ws';
import { type AcceptedSockets, addressOf } from './accepted-sockets.js';
import type { Arrival } from './connection.js';
import type { EmitEvent } from './events.js';
import { type HttpRefusalCode, refuseUpgrade } from './http-refusals.js';
import type { TransportLimits } from './limits.js';
import { isOriginAllowed, splitUrl } from './request-head.js';
import type { Turns } from './turns.js';

export interface UpgradesOptions {
  readonly limits: TransportLimits;
  readonly paths: readonly PathName[];
  readonly allowedOrigins: readonly string[];
  readonly accepted: AcceptedSockets;
  readonly emit: EmitEvent;
  /** Addresses take turns, as with every other request of theirs. */
  readonly turns: Pick<Turns, 'run'>;
  isDraining(): boolean;
  onSocket(socket: WebSocket, arrival: Arrival): void;
}

/** From an HTTP upgrade request to a WebSocket of `berth.v1`, or a refusal that says why. */
export class Upgrades {
  readonly #options: UpgradesOptions;
  readonly #webSockets: WebSocketServer;

  constructor(options: UpgradesOptions) {
    this.#options = options;
    this.#webSockets = new WebSocketServer(webSocketOptions(options.limits));
    this.#webSockets.on('wsClientError', (_error, socket) => this.#refuse(socket, 'UPGRADE_INVALID'));
  }

  /** When it is the turn of its address: any number of requests may be read in one turn of the event loop. */
  handle(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // The HTTP server has let go of the socket, and nobody else listens yet: an error would end the process.
    socket.on('error', ignore);
    this.#options.turns.run(addressOf(request.socket) ?? 'unknown', () => {
      if (socket.destroyed) return;
      socket.off('error', ignore);
      this.#answer(request, socket, head);
    });
  }

  #answer(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const path = this.#pathOf(request);
    const refusal = this.#refusal(request, path);
    if (refusal !== null) this.#refuse(socket, refusal);
    else if (path !== null) this.#accept(request, socket, head, path);
  }

  #refusal(request: IncomingMessage, path: PathName | null): HttpRefusalCode | null {
    const { limits, allowedOrigins, isDraining } = this.#options;
    if (isDraining()) return 'DRAINING';
    if ((request.url ?? '').length > limits.urlChars) return 'URL_TOO_LONG';
    if (!isOriginAllowed(request, allowedOrigins)) return 'ORIGIN_REFUSED';
    if (path === null) return splitUrl(request).path === paths.admin ? 'ADMIN_ELSEWHERE' : 'PATH_UNKNOWN';
    return offersSubprotocol(request) ? null : 'SUBPROTOCOL_REQUIRED';
  }

  #pathOf(request: IncomingMessage): PathName | null {
    const { path } = splitUrl(request);
    return this.#options.paths.find((name) => paths[name] === path) ?? null;
  }

  #accept(request: IncomingMessage, socket: Duplex, head: Buffer, path: PathName): void {
    const { accepted, onSocket } = this.#options;
    const ticket = socket instanceof TLSSocket ? accepted.ticketOf(socket) : null;
    // No ticket: the socket closed while its request was parsed.
    if (!(socket instanceof TLSSocket) || ticket === null) {
      socket.destroy();
      return;
    }
    this.#webSockets.handleUpgrade(request, socket, head, (webSocket) =>
      onSocket(webSocket, { path, tls: socket, ticket }),
    );
  }

  #refuse(socket: Duplex, code: HttpRefusalCode): void {
    const ticket = socket instanceof TLSSocket ? this.#options.accepted.ticketOf(socket) : null;
    this.#options.emit({ type: 'refused', reason: code, address: ticket?.address ?? 'unknown' });
    refuseUpgrade(socket, code);
  }
}

function ignore(): void {}

/** `closeTimeout` is missing from the typings of ws 8.18. */
function webSocketOptions(limits: TransportLimits): ServerOptions & { readonly closeTimeout: number } {
  return {
    noServer: true,
    // The listener keeps its own set of connections.
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: limits.requestBytes,
    maxFragments: limits.fragments,
    // One chunk per TLS record: a frame sent byte by byte has as many as bytes.
    maxBufferedChunks: limits.requestBytes,
    closeTimeout: limits.closeMs,
    handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
  };
}

function offersSubprotocol({ headers }: IncomingMessage): boolean {
  const offered = headers['sec-websocket-protocol'] ?? '';
  return offered.split(',').some((name) => name.trim() === SUBPROTOCOL);
}
