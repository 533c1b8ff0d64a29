import { parseAddress, paths } from '@berth/protocol';
import { Connection, type PushHandlers } from './connection.js';
import type { DialPlan } from './dial.js';
import { asBerthError, type BerthError } from './errors.js';
import { timing } from './timing.js';
import { cancelled, sleep, throwIfAborted } from './waiting.js';

/** A server that has spoken first, as every one does: what accepts a connection and says nothing is none. */
export interface Reached {
  readonly address: string;
  readonly connection: Connection;
}

type Outcome = Reached | { readonly address: string; readonly error: BerthError };

/**
 * Reaches for the servers in order, and for the next as soon as one has failed or is slow: a dead address costs a moment, not its
 * time-out. Only one of those reached is to be asked for a session: two of one device would end each other.
 */
export class Reaching {
  readonly #plan: DialPlan;
  readonly #pushes: PushHandlers;
  readonly #signal: AbortSignal | undefined;
  readonly #left: string[];
  readonly #running = new Map<string, Promise<Outcome>>();
  readonly #errors = new Map<string, BerthError>();
  readonly #over = new AbortController();
  readonly #onAbort = () => this.#over.abort();

  constructor(plan: DialPlan, pushes: PushHandlers, signal: AbortSignal | undefined) {
    this.#plan = plan;
    this.#pushes = pushes;
    this.#signal = signal;
    this.#left = [...plan.addresses];
    signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** What became of each that was of no use, in the order of the list. */
  get failures(): readonly { address: string; error: BerthError }[] {
    return this.#plan.addresses.flatMap((address) => {
      const error = this.#errors.get(address);
      return error === undefined ? [] : [{ address, error }];
    });
  }

  /** The next server that is there; `null` when all have been tried. @throws BerthError CANCELLED */
  async next(): Promise<Reached | null> {
    for (;;) {
      if (this.#running.size === 0 && !this.#start()) return null;
      const outcome = await this.#first();
      throwIfAborted(this.#signal);
      if (outcome === null) this.#start();
      else {
        this.#running.delete(outcome.address);
        if ('connection' in outcome) return outcome;
        this.failed(outcome.address, outcome.error);
        this.#start();
      }
    }
  }

  failed(address: string, error: BerthError): void {
    this.#errors.set(address, error);
  }

  /** Lets go of those that are still being reached for. */
  end(): void {
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#over.abort();
    for (const running of this.#running.values()) {
      void running.then((outcome) => {
        if ('connection' in outcome) outcome.connection.close(cancelled());
      });
    }
  }

  #start(): boolean {
    const address = this.#left.shift();
    if (address === undefined) return false;
    const attempt = this.#reach(address).then(
      (connection): Outcome => ({ address, connection }),
      (thrown: unknown): Outcome => ({ address, error: asBerthError(thrown) }),
    );
    this.#running.set(address, attempt);
    return true;
  }

  /** The first that is settled; `null` when it takes long and there is another one to try. */
  async #first(): Promise<Outcome | null> {
    const running = [...this.#running.values()];
    if (this.#left.length === 0) return Promise.race(running);
    const patience = new AbortController();
    const slow = sleep(this.#plan.host, timing.staggerMs, patience.signal).then(
      () => null,
      () => null,
    );
    return Promise.race([...running, slow]).finally(() => patience.abort());
  }

  async #reach(address: string): Promise<Connection> {
    const { host, identity, trust } = this.#plan;
    const { signal } = this.#over;
    const open = () => {
      const target = { url: `wss://${address}${paths[identity.path]}`, caPem: trust.caPem, signal };
      return Connection.open(host, target, this.#pushes);
    };
    const connection = await open().catch(async (thrown: unknown) => {
      const error = asBerthError(thrown);
      const where = parseAddress(address);
      const isUntrusted = error.code === 'CERTIFICATE_UNTRUSTED' && where !== null;
      if (isUntrusted && (await trust.renew(where, signal))) return open();
      throw error;
    });
    const onAbort = () => connection.close(cancelled());
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      throwIfAborted(signal);
      await connection.challenge();
      return connection;
    } catch (thrown) {
      connection.close(asBerthError(thrown));
      throw thrown;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }
}
