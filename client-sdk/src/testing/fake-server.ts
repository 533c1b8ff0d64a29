import {
  type ErrorCode,
  encodeBase64Url,
  formatSecretKey,
  type Method,
  type ParamsOf,
} from '@berth/protocol';
import type { ConnectOptions } from '../api.js';
import type { Context } from '../context.js';
import type { Host, SocketEvents } from '../host.js';
import { bytesOf } from './fake-bytes.js';
import { FakeCredits } from './fake-credits.js';
import { FakeDesk, fakeUser } from './fake-desk.js';
import { FakeFiles } from './fake-files.js';
import { fakeHost } from './fake-host.js';
import { FakeLine } from './fake-line.js';
import { FakePool } from './fake-pool.js';
import { type Answer, FakeSocket, type Refusal } from './fake-socket.js';
import { FakeTime, settled } from './fake-time.js';
import { type FakeProduct, fakeKeys } from './fake-vendor.js';

/** What the fake server has to give. */
export interface FakeServerOptions {
  /** Seats of each product, or more about them. Default: one seat of `render`. */
  readonly products?: Readonly<Record<string, number | FakeProduct>> | undefined;
  /** D: how long a seat lasts without a renewal, seconds. Default 120, as berthd. */
  readonly leaseSeconds?: number | undefined;
  /** Credits that the user may spend. Default: none. */
  readonly credits?: number | undefined;
}

/** What a refusal says besides its code. */
export interface DenyFacts {
  readonly message?: string | undefined;
  /** Further members of the answer, such as `rule`, `holders` and `nextFreeAtMs`. */
  readonly data?: Readonly<Record<string, unknown>> | undefined;
}

/**
 * A licence server in memory, for the tests of a plugin: no socket, no file, no clock but its own. The SDK that talks to it is the real one, with real
 * frames and real signatures of throwaway keys. Nothing happens by itself: time goes by only in `advance`, `drop` and `expire`.
 */
export class FakeServer {
  /** To pin: what `connect` takes as `vendorKeys`. */
  readonly vendorKeys: readonly string[] = [fakeKeys.vendorText];
  readonly #leaseSeconds: number;
  readonly #time = new FakeTime();
  readonly #pool: FakePool;
  readonly #credits: FakeCredits;
  readonly #line = new FakeLine(this.#time);
  readonly #desk: FakeDesk;
  readonly #devices = new Map<string, FakeFiles>();
  readonly #sockets = new Set<FakeSocket>();
  readonly #requests: string[] = [];
  /** By idempotency key: a retry gets the same answer. */
  readonly #answers = new Map<string, Answer<Method>>();
  #denial: Refusal | null = null;
  #unreachableUntilMs = Number.NEGATIVE_INFINITY;
  #drawn = 0;

  constructor({ products = { render: 1 }, leaseSeconds = 120, credits = 0 }: FakeServerOptions = {}) {
    const sold = Object.entries(products).map(
      ([name, product]) => [name, typeof product === 'number' ? { seats: product } : product] as const,
    );
    this.#leaseSeconds = leaseSeconds;
    this.#pool = new FakePool(this.#time, new Map(sold));
    const denial = () => this.#denial;
    this.#credits = new FakeCredits(credits);
    const [time, pool, line] = [this.#time, this.#pool, this.#line];
    this.#desk = new FakeDesk({ time, pool, line, credits: this.#credits, leaseSeconds, denial });
  }

  /** For `connect`: a product of this server, on a device that has joined it. @param device its name; each has a disk of its own */
  options(product = this.#pool.products[0] ?? '', device = 'device'): ConnectOptions {
    return { product, vendorKeys: this.vendorKeys, host: this.host(device) };
  }

  /** A new process on that device: what `options` puts in. */
  host(device = 'device'): Host {
    const files = this.#devices.get(device) ?? joinedDevice(device);
    this.#devices.set(device, files);
    return fakeHost({
      name: `${device}-${++this.#drawn}`,
      time: this.#time,
      files,
      isAlive: () => true,
      accept: (path, events) => this.#accept(path, events),
    });
  }

  /** The clock of server and devices, ms since 1970. */
  get nowMs(): number {
    return this.#time.wallMs();
  }

  /** Methods of every request so far, in order, such as `lease.checkout`. */
  get requests(): readonly string[] {
    return this.#requests;
  }

  /** Seats in use of a product, borrowed ones included. */
  inUse(product = this.#pool.products[0] ?? ''): number {
    const { inUse, borrowed } = this.#pool.status(product);
    return inUse + borrowed;
  }

  /** Credits that were spent. */
  get creditsSpent(): number {
    return this.#credits.spent;
  }

  /** Lets time go by, ms: heartbeats are sent, waits end, windows close. When it resolves, all that has happened. */
  async advance(ms: number): Promise<void> {
    await this.#time.advance(ms);
    this.#line.serve();
    await settled();
  }

  /**
   * Every connection breaks. The clients come back by themselves, at most 10 s after they can: `advance` lets that happen.
   * @param forMs how long no new one can be made, by the clock of this server
   */
  async drop(forMs = 0): Promise<void> {
    this.#unreachableUntilMs = this.#time.monoMs() + forMs;
    for (const socket of [...this.#sockets]) socket.close(1006);
    await settled();
  }

  /** No renewal gets through until every seat is lost; then the server is there again, and so are the clients. */
  async expire(): Promise<void> {
    const sessions = this.#sockets.size;
    const lostMs = this.#leaseSeconds * 1000 + 1;
    await this.drop(lostMs);
    await this.advance(lostMs);
    // Their pauses between two attempts are 10 s at most.
    for (let ms = 0; ms < 20_000 && this.#sockets.size < sessions; ms += 250) await this.advance(250);
  }

  /** Refuses every checkout and borrow from now on. @returns a function that ends it */
  deny(code: ErrorCode = 'NO_SEAT', { message, data }: DenyFacts = {}): () => void {
    const rule = code === 'NO_SEAT' ? { rule: 'ALL_IN_USE', holders: [] } : {};
    const denial = { error: code, message, data: { ...rule, ...data } };
    this.#denial = denial;
    return () => {
      if (this.#denial === denial) this.#denial = null;
      this.#line.serve();
    };
  }

  /** Somebody else has so many seats of a product from now on; fewer than before gives them back, to whoever waits. */
  occupy(seats: number, product = this.#pool.products[0] ?? ''): void {
    this.#pool.occupy(product, seats);
    this.#line.serve();
  }

  /** An administrator takes every online seat away. */
  async revoke(reason = '', by = 'admin@fake.example'): Promise<void> {
    for (const lease of this.#pool.leases()) {
      if (lease.kind !== 'online') continue;
      lease.isRevoked = true;
      this.#tell(lease.id, (socket) => socket.push('lease.revoked', { lease: lease.id, reason, by }));
    }
    await settled();
  }

  /** An administrator writes to whoever has a seat. */
  async message(text: string, from = 'admin@fake.example'): Promise<void> {
    for (const { id } of this.#pool.leases()) {
      this.#tell(id, (socket) => socket.push('admin.message', { lease: id, text, from }));
    }
    await settled();
  }

  #tell(lease: string, say: (socket: FakeSocket) => void): void {
    for (const socket of this.#sockets) if (socket.leases.has(lease)) say(socket);
  }

  #accept(path: string, events: SocketEvents): FakeSocket | null {
    if (this.#time.monoMs() < this.#unreachableUntilMs) return null;
    const nonce = encodeBase64Url(bytesOf(`challenge ${++this.#drawn}`, 16));
    const owner = {
      answer: <M extends Method>(method: M, params: ParamsOf<M>, socket: FakeSocket) =>
        this.#answer(method, params, socket),
      closed: (socket: FakeSocket) => {
        this.#sockets.delete(socket);
        this.#line.forget(socket);
      },
    };
    const socket = new FakeSocket(owner, path, nonce, events);
    this.#sockets.add(socket);
    const server = { id: 'fake-server', key: fakeKeys.serverText };
    socket.push('session.challenge', { versions: ['berth.v1'], server, nonce, nowMs: this.nowMs });
    return socket;
  }

  #answer<M extends Method>(method: M, params: ParamsOf<M>, socket: FakeSocket): Answer<M> {
    this.#requests.push(method);
    const handler = this.#desk.handlers[method];
    if (handler === undefined) return { error: 'METHOD_UNKNOWN' };
    const key = 'key' in params ? String(params.key) : null;
    const known = key === null ? undefined : this.#answers.get(key);
    // Kept under the key of a request of this method: a client draws its keys at random.
    if (known !== undefined) return known as Answer<M>;
    const answer = handler(params, socket);
    if (key !== null) void this.#keep(key, answer);
    return answer;
  }

  /** Refusals are not kept: nothing was changed (I7). */
  async #keep<M extends Method>(key: string, answer: Answer<M>): Promise<void> {
    if (answer !== null && !(answer instanceof Promise) && !('error' in answer))
      this.#answers.set(key, answer);
    const reply = await answer;
    if (reply !== null && !('error' in reply)) this.#answers.set(key, reply);
  }
}

/** What `joinServer` leaves on a disk. */
function joinedDevice(name: string): FakeFiles {
  const context: Context = {
    name: 'fake',
    servers: ['fake.example:7433'],
    adminServers: null,
    serverId: 'fake-server',
    serverKey: fakeKeys.serverText,
    caPem: '',
    email: fakeUser.email,
    device: 'fake-device',
    deviceName: name,
    scopes: ['lease'],
    organisation: 'Fake Studio',
    joinedWith: null,
  };
  const files = new FakeFiles();
  void files.write('config/contexts/fake.json', JSON.stringify(context));
  void files.write('config/current', 'fake\n');
  void files.write('state/fake/lease.key', formatSecretKey(bytesOf(`key of ${name}`, 32)));
  return files;
}
