import { FairQueue } from './fair-queue.js';
import type { TransportLimits } from './limits.js';
import { TokenBucket } from './token-bucket.js';

/** How often those in line are looked at, ms: at most so many handshakes are computed at once as the pace has earned in that time. */
const LOOK_MS = 20;

/**
 * Begins TLS no faster than the server can bear: renewals go before strangers. Whoever comes in beyond the pace waits, and addresses
 * take turns, so that one newcomer is not behind the hundreds of another address.
 */
export class HandshakePace {
  readonly #waiting = new FairQueue<() => void>();
  readonly #monoMs: () => number;
  readonly #bucket: TokenBucket;
  #timer: NodeJS.Timeout | null = null;

  constructor({ tlsHandshakesPerSecond: perSecond }: TransportLimits, monoMs: () => number) {
    this.#monoMs = monoMs;
    this.#bucket = new TokenBucket({ perSecond, burst: Math.max(1, (perSecond * LOOK_MS) / 1000) }, monoMs());
  }

  /**
   * Begins now, or when it is this address's turn.
   * @returns takes it out of the line
   */
  begin(address: string, start: () => void): () => void {
    if (this.#waiting.isEmpty && this.#bucket.take(this.#monoMs())) {
      start();
      return () => {};
    }
    this.#waiting.push(address, start);
    this.#look();
    return () => this.#waiting.remove(address, start);
  }

  #look(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      while (!this.#waiting.isEmpty && this.#bucket.take(this.#monoMs())) this.#waiting.shift()?.();
      if (!this.#waiting.isEmpty) this.#look();
    }, LOOK_MS);
  }
}
