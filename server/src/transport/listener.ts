import type { Server } from 'node:https';
import type { Socket } from 'node:net';
import type { PathName } from '@berth/protocol';
import type { WebSocket } from 'ws';
import { AcceptedSockets } from './accepted-sockets.js';
import { Admission } from './admission.js';
import type { Gate } from './api.js';
import { type Arrival, Connection, type ConnectionContext } from './connection.js';
import { Dispatcher } from './dispatch.js';
import { drainConnections } from './drain.js';
import { eventLog, type TransportLog } from './event-log.js';
import type { EmitEvent } from './events.js';
import { HandshakePace } from './handshake-pace.js';
import { HttpExchanges } from './http-exchanges.js';
import { HttpPages, type HttpSource } from './http-pages.js';
import { refuseBroken } from './http-refusals.js';
import { defaultLimits, type TransportLimits } from './limits.js';
import { SessionRegistry } from './session-registry.js';
import { SignedRequests } from './signed-requests.js';
import { listen, replaceTls, type TlsMaterial, tlsServer } from './tls-server.js';
import { Turns } from './turns.js';
import { Upgrades } from './upgrades.js';

export interface ListenerOptions {
  readonly gate: Gate;
  readonly tls: TlsMaterial;
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly http: HttpSource;
  readonly onEvent: EmitEvent;
  readonly log: TransportLog;
  /** Those that differ from the defaults. */
  readonly limits?: Partial<TransportLimits>;
  /** Web origins that may use this listener. None unless given. */
  readonly allowedOrigins?: readonly string[];
  /** Both unless given: the admin path may have a listener of its own (DESIGN 5). */
  readonly paths?: readonly PathName[];
  /** Given when the handlers need it before the listener is there, or when two listeners share their sessions. */
  readonly sessions?: SessionRegistry;
}

/** One TLS port: WebSocket on the two paths of the protocol, and the few pages of plain HTTP. */
export class Listener {
  readonly address: string;
  readonly port: number;
  readonly sessions: SessionRegistry;
  readonly #server: Server;
  readonly #context: ConnectionContext;
  readonly #accepted: AcceptedSockets;
  readonly #admission: Admission;
  /** The one object that everybody here reads. */
  readonly #limits: { -readonly [K in keyof TransportLimits]: number };
  readonly #connections: Set<Connection>;
  readonly #signed: SignedRequests;
  #stopped: Promise<void> | undefined;

  private constructor(parts: ListenerParts) {
    const bound = parts.server.address();
    if (bound === null || typeof bound === 'string')
      throw new Error('A listener on TCP has an address and a port');
    this.address = bound.address;
    this.port = bound.port;
    this.sessions = parts.context.registry;
    this.#server = parts.server;
    this.#context = parts.context;
    this.#accepted = parts.accepted;
    this.#admission = parts.admission;
    this.#limits = parts.context.limits;
    this.#connections = parts.connections;
    this.#signed = parts.signed;
  }

  /** @throws {ListenError} when it cannot listen; its code says why. */
  static async start(options: ListenerOptions): Promise<Listener> {
    const parts = assemble(options);
    const { server, context } = parts;
    await listen(server, options.host, options.port);
    // Once it listens, only accepting can fail (no file descriptors left): that passes, and ends nothing.
    server.on('error', (error) => context.emit({ type: 'handlerError', method: null, error }));
    return new Listener(parts);
  }

  /** From the next connection on; those that are open stay. @throws {ListenError} when it cannot be used. */
  setTls(tls: TlsMaterial): void {
    replaceTls(this.#server, tls);
  }

  /** Those given; from now on. */
  setLimits(changed: Partial<TransportLimits>): void {
    Object.assign(this.#limits, changed);
    this.#admission.limitsChanged();
    this.#context.dispatcher.limitsChanged();
  }

  /**
   * Stops accepting, tells every client, answers what is in flight, closes with 1001, and stops.
   * @param graceMs after this long whoever is left is cut.
   */
  async drain(graceMs: number): Promise<void> {
    const { dispatcher, gate, limits } = this.#context;
    dispatcher.drain();
    this.#server.close();
    const asked = this.#signed.idle();
    const backMs = (this.#connections.size / limits.tlsHandshakesPerSecond) * 1000;
    const spreadMs = Math.max(limits.drainSpreadMs, backMs);
    await drainConnections(this.#connections, asked, gate, spreadMs, graceMs);
    await this.stop();
  }

  /** At once. Resolves when no socket is left; may be called again. */
  stop(): Promise<void> {
    this.#stopped ??= new Promise((resolve) => {
      this.#context.dispatcher.drain();
      for (const connection of this.#connections) connection.cut('GOING_AWAY');
      // After a drain the server is closed already; the callback then gets an error that says just that.
      this.#server.close(() => resolve());
      this.#accepted.destroyAll();
    });
    return this.#stopped;
  }
}

interface ListenerParts {
  readonly server: Server;
  readonly context: ConnectionContext;
  readonly accepted: AcceptedSockets;
  readonly admission: Admission;
  readonly connections: Set<Connection>;
  readonly signed: SignedRequests;
}

function assemble(options: ListenerOptions): ListenerParts {
  const { gate } = options;
  const limits: TransportLimits = { ...defaultLimits, ...options.limits };
  const toLog = eventLog(options.log, () => gate.monoMs());
  const emit: EmitEvent = (event) => {
    toLog(event);
    options.onEvent(event);
  };
  const context: ConnectionContext = {
    gate,
    limits,
    registry: options.sessions ?? new SessionRegistry(),
    dispatcher: new Dispatcher(gate, limits, emit),
    turns: new Turns(() => gate.monoMs(), limits.turnMs),
    emit,
  };
  const server = tlsServer(options.tls, limits);
  const admission = new Admission(limits);
  const monoMs = (): number => gate.monoMs();
  const pace = new HandshakePace(limits, monoMs, (address) => admission.isKnown(address));
  const accepted = new AcceptedSockets(admission, pace, limits, monoMs, emit);
  accepted.guard(server);
  const { registry, dispatcher } = context;
  const { allowedOrigins = [] } = options;
  const signed = new SignedRequests({
    ...{ gate, limits, dispatcher, registry, accepted, allowedOrigins, emit, turns: context.turns },
  });
  const parts = { server, context, accepted, admission, connections: new Set<Connection>(), signed };
  serve(parts, options);
  return parts;
}

/** What comes out of the server goes to pages and connections. */
function serve(parts: ListenerParts, options: ListenerOptions): void {
  const { server, context, accepted, connections, signed } = parts;
  const { gate, limits, emit, dispatcher } = context;
  const { allowedOrigins = [], paths = ['lease', 'admin'] } = options;
  const pages = new HttpPages({
    ...{ gate, source: options.http, limits, allowedOrigins, emit, turns: context.turns },
    ...(paths.includes('lease') ? { challenge: () => signed.challenge } : {}),
  });
  const upgrades = new Upgrades({
    limits,
    paths,
    allowedOrigins,
    accepted,
    emit,
    turns: context.turns,
    isDraining: () => dispatcher.draining,
    onSocket: (socket, arrival) => connect(connections, socket, arrival, context),
  });
  server.on('upgrade', (request, socket, head) => upgrades.handle(request, socket, head));
  const exchanges = new HttpExchanges(emit);
  server.on('request', (request, response) => {
    if (!exchanges.begin(request, response)) return;
    const takes = paths.includes('lease') && signed.handles(request);
    (takes ? signed : pages).handle(request, response);
  });
  server.on('clientError', (error, socket) => refuseBroken(error, socket as Socket));
  server.on('tlsClientError', (error, socket) => {
    const address = accepted.ticketOf(socket)?.address ?? 'unknown';
    // Before it comes to `clientError`, whose answer a TLS that is not there would keep for ever.
    socket.destroy();
    // Whoever hung up was not refused: `berth doctor` looks whether the port is open, a load balancer every few seconds.
    if ('code' in error && error.code === 'ECONNRESET') return;
    emit({ type: 'refused', reason: 'TLS_HANDSHAKE', address });
  });
}

function connect(
  connections: Set<Connection>,
  socket: WebSocket,
  arrival: Arrival,
  context: ConnectionContext,
): void {
  const connection = new Connection(socket, arrival, context);
  connections.add(connection);
  void connection.gone.then(() => connections.delete(connection));
}
