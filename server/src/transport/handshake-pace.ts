import { KnownFirst } from './known-first.js';
import type { TransportLimits } from './limits.js';
import { TokenBucket } from './token-bucket.js';

/** How often those in line are looked at, ms. */
const LOOK_MS = 5;

/** At a look so long, ms, is spent on handshakes; one that has begun is computed to its end. */
const SPENT_MS = 2;

/** The pace is that of so long a time, ms: looks that come late make up for it. */
const PACED_MS = 20;

/**
 * Begins TLS no faster than the server can bear: renewals go before strangers. What a handshake costs depends on the computer and on the key (RSA
 * of 4096 bits is eight times P-256), so it is the time that counts: some milliseconds, then sockets are read. Looks come late while there is
 * much else to do, and fewer handshakes with them. Whoever comes in beyond the
 * pace waits, and addresses take turns, so that one newcomer is not behind the hundreds of another address. Addresses at which a device has proved who it is go before
 * those that nobody knows: strangers with many addresses do not shut out those who work here.
 */
export class HandshakePace {
  readonly #waiting = new KnownFirst<() => void>();
  readonly #isKnown: (address: string) => boolean;
  readonly #monoMs: () => number;
  readonly #bucket: TokenBucket;
  #timer: NodeJS.Timeout | null = null;

  constructor(
    { tlsHandshakesPerSecond: perSecond }: TransportLimits,
    monoMs: () => number,
    isKnown: (address: string) => boolean,
  ) {
    this.#monoMs = monoMs;
    this.#isKnown = isKnown;
    this.#bucket = new TokenBucket(
      { perSecond, burst: Math.max(1, (perSecond * PACED_MS) / 1000) },
      monoMs(),
    );
  }

  /**
   * Begins soon, when it is this address's turn; never in the turn that asks.
   * @param start computes the handshake before it returns
   * @returns takes it out of the line
   */
  begin(address: string, start: () => void): () => void {
    const leave = this.#waiting.push(this.#isKnown(address), address, start);
    this.#look();
    return leave;
  }

  #look(): void {
    if (this.#timer !== null) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      const sinceMs = this.#monoMs();
      let nowMs = sinceMs;
      for (
        ;
        nowMs - sinceMs < SPENT_MS && !this.#waiting.isEmpty && this.#bucket.take(nowMs);
        nowMs = this.#monoMs()
      )
        this.#waiting.shift()?.();
      if (!this.#waiting.isEmpty) this.#look();
    }, LOOK_MS);
  }
}
