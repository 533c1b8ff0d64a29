import { setMaxListeners } from 'node:events';
import type { TLSSocket } from 'node:tls';
import {
  BINDING_BYTES,
  BINDING_LABEL,
  type CloseReason,
  closeCodes,
  encodeNotification,
  type ParamsOf,
  type PathName,
  type Push,
  type PushParams,
  SUBPROTOCOL,
} from '@berth/protocol';
import type { RawData, WebSocket } from 'ws';
import type { Ticket } from './admission.js';
import type { Caller, Gate } from './api.js';
import type { Dispatcher, Peer } from './dispatch.js';
import type { EmitEvent, EndReason, SessionFacts } from './events.js';
import type { TransportLimits } from './limits.js';
import type { Opened } from './session.js';
import type { OpenSession, SessionRegistry, SessionSocket } from './session-registry.js';
import { TokenBucket } from './token-bucket.js';
import type { Turns } from './turns.js';

/** What every connection of a listener shares. */
export interface ConnectionContext {
  readonly gate: Gate;
  readonly limits: TransportLimits;
  readonly registry: SessionRegistry;
  readonly dispatcher: Dispatcher;
  readonly emit: EmitEvent;
  readonly turns: Pick<Turns, 'run' | 'runKnown'>;
}

/** Where a socket came from. */
export interface Arrival {
  readonly path: PathName;
  readonly tls: TLSSocket;
  readonly ticket: Ticket;
}

/** Cut when this many pings went unanswered: one may be lost in a suspend or a change of network. */
const MISSED_PINGS = 2;

/** Ends of a socket without a session that refuse nobody. */
const unremarkable: ReadonlySet<EndReason> = new Set(['PEER_CLOSED', 'CONNECTION_LOST', 'GOING_AWAY']);

/** One socket: connecting (no session yet) -> open -> closed. Liveness, backpressure, requests in flight. */
export class Connection implements Peer, SessionSocket {
  readonly serverNonce: string;
  /** Resolves when the socket is gone. */
  readonly gone: Promise<void>;
  readonly #socket: WebSocket;
  readonly #arrival: Arrival;
  readonly #context: ConnectionContext;
  readonly #faults: TokenBucket;
  #handshake: NodeJS.Timeout | undefined;
  readonly #pinging: NodeJS.Timeout;
  #state: 'connecting' | 'open' | 'closed' = 'connecting';
  #session: OpenSession | null = null;
  #openedAtMs = 0;
  #missedPings = 0;
  /** A message came since the last look. */
  #heard = false;
  #inFlight = 0;
  #parked = 0;
  /** Why it closes once nothing is in flight. */
  #parting: CloseReason | null = null;
  /** Frames that wait for their turn. */
  #waiting = 0;
  /** Whose: that of a device, or `null`: of the address. */
  #turnOf: string | null = null;
  /** Made for the first who asks: of many sessions hardly any ever waits, and one is 1.7 KiB. */
  #ended: AbortController | null = null;
  #whenIdle: (() => void)[] = [];

  constructor(socket: WebSocket, arrival: Arrival, context: ConnectionContext) {
    const { gate, limits } = context;
    this.#socket = socket;
    this.#arrival = arrival;
    this.#context = context;
    this.serverNonce = gate.randomText(16);
    this.#faults = new TokenBucket(
      { perSecond: limits.faultsPerSecond, burst: limits.faultBurst },
      gate.monoMs(),
    );
    this.gone = this.#listen();
    const usedMs = gate.monoMs() - arrival.ticket.acceptedAtMs;
    const leftMs = Math.max(0, limits.handshakeMs - usedMs);
    this.#handshake = setTimeout(() => this.close('UNAUTHENTICATED'), leftMs);
    this.#pinging = setInterval(() => this.#ping(), limits.pingMs);
    this.push('session.challenge', {
      versions: [SUBPROTOCOL],
      server: gate.server,
      nonce: this.serverNonce,
      nowMs: gate.nowMs(),
    });
  }

  get path(): PathName {
    return this.#arrival.path;
  }

  get address(): string {
    return this.#arrival.ticket.address;
  }

  get caller(): Caller | null {
    return this.#session?.caller ?? null;
  }

  get ended(): AbortSignal {
    if (this.#ended === null) {
      this.#ended = new AbortController();
      // Each request that waits listens to it.
      setMaxListeners(0, this.#ended.signal);
      if (this.#state === 'closed') this.#ended.abort();
    }
    return this.#ended.signal;
  }

  binding(): Uint8Array {
    return this.#arrival.tls.exportKeyingMaterial(BINDING_BYTES, BINDING_LABEL, Buffer.alloc(0));
  }

  opened(opened: Opened, params: ParamsOf<'session.open'>): void {
    if (this.#state !== 'connecting') return;
    const { registry, emit, gate } = this.#context;
    clearTimeout(this.#handshake);
    this.#handshake = undefined;
    this.#arrival.ticket.authenticate(params.deviceKey);
    this.#state = 'open';
    this.#openedAtMs = gate.monoMs();
    const { identity } = opened;
    const { session, superseded } = registry.open(
      {
        session: opened.session,
        path: this.path,
        deviceId: identity.device.id,
        deviceKey: params.deviceKey,
        email: identity.user.email,
        address: this.address,
      },
      this,
    );
    this.#session = session;
    for (const { caller } of superseded)
      emit({ type: 'superseded', session: factsOf(caller), by: this.address });
    emit({
      type: 'sessionOpened',
      session: factsOf(session.caller),
      client: params.client ?? null,
      witness: params.witness ?? null,
    });
  }

  push<P extends Push>(name: P, params: PushParams<P>): void {
    this.send(encodeNotification(name, params));
  }

  send(text: string): void {
    if (this.#state === 'closed') return;
    this.#socket.send(text);
    if (this.#socket.bufferedAmount > this.#context.limits.bufferedBytes) this.cut('SLOW_READER');
  }

  fault(cost: number): boolean {
    if (this.#state === 'closed') return false;
    if (this.#faults.take(this.#context.gate.monoMs(), cost)) return true;
    this.close('FLOOD');
    return false;
  }

  beginRequest(): boolean {
    if (this.#inFlight >= this.#context.limits.inFlightPerSocket) return false;
    this.#inFlight++;
    return true;
  }

  parkRequest(): void {
    this.#inFlight--;
    this.#parked++;
  }

  endRequest(parked: boolean): void {
    if (parked) this.#parked--;
    else this.#inFlight--;
    if (this.#parting !== null && this.#inFlight === 0) this.close(this.#parting);
    if (this.#inFlight + this.#parked > 0) return;
    for (const resolve of this.#whenIdle.splice(0)) resolve();
  }

  /** Resolves when every request was answered. */
  async idle(): Promise<void> {
    if (this.#inFlight + this.#parked > 0) await new Promise<void>((resolve) => this.#whenIdle.push(resolve));
  }

  close(reason: CloseReason): void {
    if (this.#state === 'closed') return;
    this.#end(reason);
    const { number, text } = closeCodes[reason];
    this.#socket.close(number, text);
  }

  /** Takes nothing more, and closes when what is in flight was answered: what ends a device may be its own return of a borrow (I8). */
  part(reason: CloseReason): void {
    if (this.#inFlight === 0) this.close(reason);
    else this.#parting = reason;
  }

  /** Without a goodbye: for a peer that does not read, or that had its time. */
  cut(reason: EndReason): void {
    this.#end(reason);
    this.#socket.terminate();
  }

  #listen(): Promise<void> {
    const socket = this.#socket;
    socket.on('message', (data, isBinary) => this.#receive(data, isBinary));
    socket.on('pong', () => {
      this.#missedPings = 0;
    });
    socket.on('ping', () => {
      this.#missedPings = 0;
      this.fault(1);
    });
    // `ws` closes the socket itself; without a listener the error would end the process.
    socket.on('error', (error) => this.#end(isTooLarge(error) ? 'TOO_LARGE' : 'PROTOCOL_ERROR'));
    return new Promise((resolve) => {
      socket.on('close', (number) => {
        this.#end(number === 1006 ? 'CONNECTION_LOST' : 'PEER_CLOSED');
        resolve();
      });
    });
  }

  #receive(data: RawData, isBinary: boolean): void {
    // After our close frame the peer's frames still arrive until it closes too.
    if (this.#state === 'closed' || this.#parting !== null) return;
    this.#missedPings = 0;
    this.#heard = true;
    if (isBinary || !Buffer.isBuffer(data)) this.close('BINARY');
    else this.#await(data.toString('utf8'));
  }

  /** Answered when it is this device's turn; before there is a device, its address's, which comes later. */
  #await(text: string): void {
    const { turns, dispatcher, limits } = this.#context;
    if (++this.#waiting === limits.framesWaiting) this.#socket.pause();
    const receive = (): void => {
      if (--this.#waiting === 0 && this.#socket.isPaused) this.#socket.resume();
      if (this.#state !== 'closed' && this.#parting === null) dispatcher.receive(text, this);
    };
    // Behind those that wait already: frames of one socket keep their order.
    if (this.#waiting === 1) this.#turnOf = this.caller?.deviceKey ?? null;
    if (this.#turnOf === null) turns.run(this.address, receive);
    else turns.runKnown(this.#turnOf, receive);
  }

  /** Whoever has asked for something meanwhile needs none: of sessions that renew every 40 s three in four. */
  #ping(): void {
    const wasHeard = this.#heard;
    this.#heard = false;
    if (wasHeard) return;
    if (this.#missedPings >= MISSED_PINGS) {
      this.cut('UNRESPONSIVE');
      return;
    }
    this.#missedPings++;
    this.#socket.ping();
  }

  /** The one way into `closed`: later reasons are consequences of the first. */
  #end(reason: EndReason): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#ended?.abort();
    clearTimeout(this.#handshake);
    clearInterval(this.#pinging);
    const { emit, registry, gate } = this.#context;
    if (this.#session === null) {
      if (!unremarkable.has(reason)) emit({ type: 'refused', reason, address: this.address });
      return;
    }
    registry.remove(this.#session);
    const openMs = gate.monoMs() - this.#openedAtMs;
    emit({ type: 'sessionClosed', session: factsOf(this.#session.caller), reason, openMs });
  }
}

export function factsOf({ session, path, deviceId, email, address }: Caller): SessionFacts {
  return { session, path, deviceId, email, address };
}

function isTooLarge(error: Error): boolean {
  return 'code' in error && error.code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH';
}
