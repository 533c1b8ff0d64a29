import type { Method, ParamsOf, ResultOf } from '@berth/protocol';
import type { Me } from './api.js';
import type { Connection, PushHandlers } from './connection.js';
import { type DialPlan, dial, isRefusal } from './dial.js';
import { asBerthError, BerthError } from './errors.js';
import type { Host } from './host.js';
import { ReconnectPause } from './pause.js';
import { type Repeatable, repeat } from './repeat.js';
import { timing } from './timing.js';
import { deferred, holding, unlessAborted } from './waiting.js';

/** What the owner of a link is told. */
export interface LinkEvents {
  readonly pushes: Omit<PushHandlers, 'server.draining'>;
  /** A session is open: take up the leases again before requests go on. A failure ends the connection. */
  onOpen(connection: Connection): Promise<void>;
  /** The longest pause between two attempts to connect that the owner can afford, ms: it may hold seats that run out. */
  affordablePauseMs(): number;
  /** The connection was lost, or could not be made. It is tried again by itself. */
  onTrouble(error: BerthError): void;
}

/** A session that is kept open: reconnects by itself and repeats requests whose answer was lost. */
export class Link {
  readonly #plan: DialPlan;
  readonly #host: Host;
  readonly #events: LinkEvents;
  readonly #pause: ReconnectPause;
  readonly #pushes: PushHandlers;
  readonly #closing = new AbortController();
  readonly #firstPass = deferred<BerthError | null>();
  readonly #watchers = new Set<() => void>();
  #connection: Connection | null = null;
  /** Open, but its leases are still being taken up. */
  #opening: Connection | null = null;
  #me: Me | null = null;
  #trouble: BerthError | null = null;
  #refusal: BerthError | null = null;
  /** When a newer session last closed ours, on the monotonic clock. */
  #supersededAtMs = Number.NEGATIVE_INFINITY;

  constructor(plan: DialPlan, events: LinkEvents) {
    this.#plan = plan;
    this.#host = plan.host;
    this.#events = events;
    this.#pause = new ReconnectPause(plan.host, () => events.affordablePauseMs());
    this.#pushes = {
      ...events.pushes,
      'server.draining': ({ reconnectAfterMs }) => this.#pause.postpone(reconnectAfterMs),
    };
  }

  /** Of the latest session. */
  get me(): Me | null {
    return this.#me;
  }

  /** Why there is no session at the moment; `null` when there is one. */
  get trouble(): BerthError | null {
    return this.#refusal ?? this.#trouble;
  }

  get connection(): Connection | null {
    return this.#connection?.isOpen === true ? this.#connection : null;
  }

  /** Starts connecting. @returns `null` when a session is open, or why the first pass over all servers failed */
  start(): Promise<BerthError | null> {
    void this.#maintain();
    return this.#firstPass.promise;
  }

  /**
   * Sends a request, and sends it again on the next connection when the answer is lost: a changing request has its
   * idempotency key in `params` (I7). @throws BerthError
   */
  request<M extends Method>(
    method: M,
    params: ParamsOf<M> | (() => ParamsOf<M>),
    options: Repeatable = {},
  ): Promise<ResultOf<M>> {
    return holding(this.#host, () => repeat(this, this.#host, method, params, options));
  }

  /** An open connection, waited for up to `limitMs`. @throws BerthError why there is none */
  async connected(limitMs: number, signal: AbortSignal | undefined): Promise<Connection> {
    const untilMs = this.#host.clock.monoMs() + limitMs;
    let served = (): void => {};
    try {
      for (let isFirst = true; ; isFirst = false) {
        if (this.#closing.signal.aborted) throw closed();
        if (this.#refusal !== null) throw this.#refusal;
        if (this.connection !== null) return this.connection;
        const leftMs = untilMs - this.#host.clock.monoMs();
        if (leftMs <= 0) throw this.#trouble ?? new BerthError('UNREACHABLE');
        if (isFirst) served = this.#pause.hurry();
        await this.#change(leftMs, signal);
      }
    } finally {
      served();
    }
  }

  /** Ends a connection that does not answer; another one is made. */
  drop(connection: Connection, reason: BerthError): void {
    connection.close(reason);
  }

  close(): void {
    this.#closing.abort();
    this.#pause.stop();
    this.#opening?.close(closed());
    this.#connection?.close(closed());
    this.#firstPass.resolve(closed());
    this.#notify();
  }

  get #over(): boolean {
    return this.#closing.signal.aborted || this.#refusal !== null;
  }

  async #maintain(): Promise<void> {
    while (!this.#over) {
      const openedAtMs = await this.#open();
      if (openedAtMs !== null && this.#connection !== null) {
        this.#lost(await this.#connection.ended);
        // A connection that never lasts is a failure too: a server that accepts and hangs up is not to be hammered.
        const lastedMs = this.#host.clock.monoMs() - openedAtMs;
        if (lastedMs > timing.backoffMaxMs) this.#pause.succeeded();
        else this.#pause.failed();
      }
      if (!this.#over) await this.#pause.wait();
    }
  }

  /** One pass over all servers. @returns when it succeeded, on the monotonic clock, or `null` */
  async #open(): Promise<number | null> {
    try {
      const { connection, me } = await dial(this.#plan, this.#pushes, this.#closing.signal);
      this.#me = me;
      await this.#takeUp(connection);
      this.#connection = connection;
      this.#trouble = null;
      this.#firstPass.resolve(null);
      this.#notify();
      return this.#host.clock.monoMs();
    } catch (thrown) {
      this.#pause.failed();
      this.#failed(asBerthError(thrown));
      return null;
    }
  }

  async #takeUp(connection: Connection): Promise<void> {
    this.#opening = connection;
    try {
      if (this.#closing.signal.aborted) throw closed();
      await this.#events.onOpen(connection);
      if (connection.endReason !== null) throw connection.endReason;
    } catch (thrown) {
      connection.close(asBerthError(thrown));
      throw thrown;
    } finally {
      this.#opening = null;
    }
  }

  #lost(reason: BerthError): void {
    this.#connection = null;
    if (reason.detail.reconnect === false && !this.#mayComeBack(reason)) this.#refusal = reason;
    if (!this.#closing.signal.aborted) this.#troubled(reason);
  }

  /**
   * Superseded once: the network of this computer changed and another process of it was faster. Its own next connection comes from the
   * new address as well. Superseded again: the key is in use in two places (PROTOCOL 3.4).
   */
  #mayComeBack({ code }: BerthError): boolean {
    if (code !== 'SUPERSEDED') return false;
    const nowMs = this.#host.clock.monoMs();
    const first = nowMs - this.#supersededAtMs > timing.supersededMs;
    this.#supersededAtMs = nowMs;
    return first;
  }

  #failed(error: BerthError): void {
    if (isRefusal(error)) this.#refusal = error;
    this.#firstPass.resolve(error);
    if (!this.#closing.signal.aborted) this.#troubled(error);
  }

  #troubled(error: BerthError): void {
    this.#trouble = error;
    this.#events.onTrouble(error);
    this.#notify();
  }

  #notify(): void {
    for (const watcher of [...this.#watchers]) watcher();
  }

  /** Resolves when something about the connection has changed, or after the limit. */
  async #change(limitMs: number, signal: AbortSignal | undefined): Promise<void> {
    const change = deferred<void>();
    const changed = () => change.resolve();
    const timer = this.#host.setTimer(changed, limitMs);
    this.#watchers.add(changed);
    try {
      await unlessAborted(change.promise, signal);
    } finally {
      this.#watchers.delete(changed);
      timer();
    }
  }
}

function closed(): BerthError {
  return new BerthError('CANCELLED', { message: 'The client was closed.' });
}
