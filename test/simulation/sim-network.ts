import { EventEmitter } from 'node:events';
import { BerthError, type Socket, type SocketEvents, type SocketOptions } from '@berth/client';
import type { Dice } from './sim-random.js';
import type { SimServer } from './sim-server.js';
import type { Owner, SimTime } from './sim-time.js';

/** The way from one computer to the server. */
export interface Line {
  /** The address it comes from. */
  address: string;
  /** Nothing gets through before (a VPN that drops, a cable): ms of true time. What was sent meanwhile arrives later, as TCP does. */
  downUntilMs: number;
}

export interface NetworkTraits {
  readonly latencyMs: number;
  /** How likely a frame arrives twice, or out of order. TLS does neither; what is above it must not rely on that. */
  readonly duplicates: number;
  readonly reorders: number;
  /** How likely a frame takes seconds, and everything behind it with it; or never arrives although the connection lives on. */
  readonly delays: number;
  readonly drops: number;
}

/** What happened to single frames. */
export interface FrameCounts {
  frameDelayed: number;
  frameDropped: number;
  frameDuplicated: number;
  frameReordered: number;
}

/** What the server's connection code needs of a `ws` socket. */
export class ServerEnd extends EventEmitter {
  bufferedAmount = 0;
  readonly #wire: Wire;

  constructor(wire: Wire) {
    super();
    this.#wire = wire;
  }
  send(text: string): void {
    this.#wire.fromServer(text);
  }
  ping(): void {
    this.#wire.ping();
  }
  close(code: number): void {
    this.#wire.closedByServer(code);
  }
  terminate(): void {
    this.#wire.closedByServer(1006);
  }
}

export class SimNetwork {
  readonly #time: SimTime;
  readonly #dice: Dice;
  readonly #traits: NetworkTraits;
  faulty = true;
  readonly wires = new Set<Wire>();
  readonly counts: FrameCounts = { frameDelayed: 0, frameDropped: 0, frameDuplicated: 0, frameReordered: 0 };
  /** Called when a frame has reached the server, before it is read. */
  onServerFrame: () => void = () => {};

  constructor(time: SimTime, dice: Dice, traits: NetworkTraits) {
    this.#time = time;
    this.#dice = dice;
    this.#traits = traits;
  }

  get time(): SimTime {
    return this.#time;
  }

  latencyMs(): number {
    return 0.2 + this.#dice.about(this.#traits.latencyMs);
  }

  duplicates(): boolean {
    return this.#happens('frameDuplicated', this.#traits.duplicates);
  }

  reorders(): boolean {
    return this.#happens('frameReordered', this.#traits.reorders);
  }

  drops(): boolean {
    return this.#happens('frameDropped', this.#traits.drops);
  }

  delayMs(): number {
    return this.#happens('frameDelayed', this.#traits.delays) ? this.#dice.about(3_000) : 0;
  }

  #happens(name: keyof FrameCounts, probability: number): boolean {
    if (!this.faulty || probability === 0 || !this.#dice.chance(probability)) return false;
    this.counts[name]++;
    return true;
  }

  binding(): Uint8Array {
    return this.#dice.bytes(32);
  }

  async open(
    path: string,
    who: { readonly owner: Owner; readonly line: Line },
    server: SimServer,
    options: Pick<SocketOptions, 'timeoutMs' | 'signal'>,
    events: SocketEvents,
  ): Promise<Socket> {
    const { owner, line } = who;
    const downMs = line.downUntilMs - this.#time.nowMs;
    if (downMs > 0 || server.isSilent) {
      await this.#time.sleep(options.timeoutMs, owner);
      throw new BerthError('TIMEOUT', { message: 'Nothing answers.' });
    }
    await this.#time.sleep(3 * this.latencyMs(), owner);
    if (options.signal?.aborted === true) throw new BerthError('CANCELLED');
    if (!server.isUp) throw new BerthError('UNREACHABLE', { message: 'Nothing listens.' });
    const wire = new Wire(this, owner, line, server.owner, events);
    this.wires.add(wire);
    server.accept(path, wire);
    return wire.clientSocket;
  }
}

type End = 'client' | 'server';

/** One connection: two ends and what is under way between them. */
export class Wire {
  readonly serverEnd: ServerEnd;
  readonly clientSocket: Socket;
  readonly binding: Uint8Array;
  readonly line: Line;
  /** Nothing arrives any more at either end, and neither is told. */
  isDark = false;
  readonly #network: SimNetwork;
  readonly #owners: Readonly<Record<End, Owner>>;
  readonly #events: SocketEvents;
  readonly #open = { client: true, server: true };
  readonly #lastAtMs = { client: 0, server: 0 };

  constructor(network: SimNetwork, client: Owner, line: Line, server: Owner, events: SocketEvents) {
    this.#network = network;
    this.#owners = { client, server };
    this.#events = events;
    this.line = line;
    this.binding = network.binding();
    this.serverEnd = new ServerEnd(this);
    this.clientSocket = {
      send: (text) => this.#fromClient(text),
      close: () => this.#closedByClient(),
      exporter: () => this.binding,
    };
  }

  fromServer(text: string): void {
    // The rest of a turn in which the process died.
    if (this.#owners.server.dead) return;
    this.#carry('client', () => this.#events.onMessage(text));
  }

  /** There and back in one event: nothing but the clocks of the line and of the client decides on it. */
  ping(): void {
    const network = this.#network;
    if (network.drops() || network.drops()) return;
    const back = (): void => {
      const { client } = this.#owners;
      const frozenMs = client.frozenUntilMs - network.time.nowMs;
      if (!this.#open.client || client.dead) return;
      if (frozenMs > 0) network.time.after(frozenMs, this.#owners.server, () => this.#arrive('server', back));
      else this.serverEnd.emit('pong');
    };
    const roundTripMs = network.latencyMs() + network.delayMs() + network.latencyMs() + network.delayMs();
    network.time.after(roundTripMs, this.#owners.server, () => this.#arrive('server', back));
  }

  closedByServer(code: number): void {
    if (!this.#open.server || this.#owners.server.dead) return;
    this.#end('server', () => this.serverEnd.emit('close', code));
    this.#farewell('client', code);
  }

  /** The server's process died: the system says so to the client, or (power, cable) nobody does. */
  serverDied(tellClient: boolean): void {
    this.#open.server = false;
    if (tellClient) this.#farewell('client', 1006);
    else this.#settle();
  }

  /** The same for the client's process. */
  clientDied(tellServer: boolean): void {
    this.#open.client = false;
    if (tellServer) this.#farewell('server', 1006);
    else this.#settle();
  }

  /** The client's system says that the connection is gone. */
  tellClient(): void {
    this.#network.time.after(0, this.#owners.client, () => this.#events.onClose(1006));
  }

  #fromClient(text: string): void {
    // A peer that is gone and back up answers with a reset.
    if (!this.#open.server) this.#farewell('client', 1006);
    else
      this.#carry('server', () => {
        this.#network.onServerFrame();
        this.serverEnd.emit('message', Buffer.from(text), false);
      });
  }

  #closedByClient(): void {
    if (!this.#open.client) return;
    this.#end('client', () => this.#events.onClose(1000));
    this.#farewell('server', 1005);
  }

  #carry(to: End, deliver: () => void): void {
    const network = this.#network;
    const once = (afterMs: number): void => {
      network.time.after(afterMs, this.#owners[to], () => this.#arrive(to, deliver));
    };
    if (network.drops()) return;
    const atMs = network.time.nowMs + network.latencyMs() + network.delayMs();
    if (network.reorders()) {
      once(atMs - network.time.nowMs + 20);
      return;
    }
    this.#lastAtMs[to] = Math.max(this.#lastAtMs[to], atMs);
    once(this.#lastAtMs[to] - network.time.nowMs);
    if (network.duplicates()) once(this.#lastAtMs[to] - network.time.nowMs + network.latencyMs());
  }

  #arrive(to: End, deliver: () => void): void {
    if (this.isDark) return;
    const { time } = this.#network;
    const downMs = this.line.downUntilMs - time.nowMs;
    if (downMs > 0) time.after(downMs, this.#owners[to], () => this.#arrive(to, deliver));
    else if (this.#open[to]) deliver();
  }

  /** The other end hears that this one is gone, when something gets through. */
  #farewell(to: End, code: number): void {
    this.#carry(to, () => {
      if (to === 'client') this.#end('client', () => this.#events.onClose(code));
      else this.#end('server', () => this.serverEnd.emit('close', code));
    });
    this.#settle();
  }

  #end(side: End, tell: () => void): void {
    if (!this.#open[side]) return;
    this.#open[side] = false;
    this.#network.time.after(0, this.#owners[side], tell);
    this.#settle();
  }

  #settle(): void {
    if (!this.#open.client && !this.#open.server) this.#network.wires.delete(this);
  }
}
