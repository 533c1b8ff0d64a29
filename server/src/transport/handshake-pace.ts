import { FairQueue } from './fair-queue.js';
import type { TransportLimits } from './limits.js';
import { TokenBucket } from './token-bucket.js';

/** How often those in line are looked at, ms: at most so many handshakes are computed at once as the pace has earned in that time. */
const LOOK_MS = 20;

/** A look that comes so late, ms, says that the event loop is busy for longer than a renewal should wait. */
const LATE_MS = 10;

/** So many begin at each look however late it is: newcomers get in at a hundred a second. */
const LEAST_AT_ONCE = 2;

/** So many of known addresses begin in a row while strangers wait: a crowd of clients that come back does not shut out a new one. */
const KNOWN_IN_A_ROW = 3;

/**
 * Begins TLS no faster than the server can bear: renewals go before strangers. What a handshake costs depends on the computer, on the key (RSA
 * of 4096 bits is eight times P-256) and on what else there is to do, so fewer begin at once while looks are late. Whoever comes in beyond the
 * pace waits, and addresses take turns, so that one newcomer is not behind the hundreds of another address. Addresses at which a device has proved who it is go before
 * those that nobody knows: strangers with many addresses do not shut out those who work here.
 */
export class HandshakePace {
  readonly #known = new FairQueue<() => void>();
  readonly #strangers = new FairQueue<() => void>();
  readonly #isKnown: (address: string) => boolean;
  readonly #monoMs: () => number;
  readonly #bucket: TokenBucket;
  readonly #mostAtOnce: number;
  #atOnce: number;
  #timer: NodeJS.Timeout | null = null;
  #knownInARow = 0;

  constructor(
    { tlsHandshakesPerSecond: perSecond }: TransportLimits,
    monoMs: () => number,
    isKnown: (address: string) => boolean,
  ) {
    this.#monoMs = monoMs;
    this.#isKnown = isKnown;
    this.#mostAtOnce = Math.max(1, (perSecond * LOOK_MS) / 1000);
    this.#atOnce = this.#mostAtOnce;
    this.#bucket = new TokenBucket({ perSecond, burst: this.#mostAtOnce }, monoMs());
  }

  /**
   * Begins now, or when it is this address's turn.
   * @returns takes it out of the line
   */
  begin(address: string, start: () => void): () => void {
    if (this.#isEmpty && this.#bucket.take(this.#monoMs())) {
      start();
      return () => {};
    }
    const queue = this.#isKnown(address) ? this.#known : this.#strangers;
    queue.push(address, start);
    this.#look();
    return () => queue.remove(address, start);
  }

  get #isEmpty(): boolean {
    return this.#known.isEmpty && this.#strangers.isEmpty;
  }

  #next(): (() => void) | undefined {
    const isStrangersTurn = this.#knownInARow >= KNOWN_IN_A_ROW && !this.#strangers.isEmpty;
    if (this.#known.isEmpty || isStrangersTurn) {
      this.#knownInARow = 0;
      return this.#strangers.shift();
    }
    this.#knownInARow++;
    return this.#known.shift();
  }

  #look(): void {
    if (this.#timer !== null) return;
    const dueMs = this.#monoMs() + LOOK_MS;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#adapt(this.#monoMs() - dueMs);
      for (let begun = 0; begun < this.#atOnce && !this.#isEmpty; begun++) {
        if (!this.#bucket.take(this.#monoMs())) break;
        this.#next()?.();
      }
      if (!this.#isEmpty) this.#look();
    }, LOOK_MS);
  }

  #adapt(lateMs: number): void {
    const wanted = lateMs > LATE_MS ? this.#atOnce / 2 : this.#atOnce + 1;
    this.#atOnce = Math.min(this.#mostAtOnce, Math.max(LEAST_AT_ONCE, wanted));
  }
}
