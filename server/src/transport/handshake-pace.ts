import { KnownFirst } from './known-first.js';
import type { TransportLimits } from './limits.js';
import { TokenBucket } from './token-bucket.js';

/** How often those in line are looked at, ms. */
const LOOK_MS = 4;

/** At a look so long, ms, is spent on handshakes; one that has begun is computed to its end. */
const SPENT_MS = 4;

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
  /** Will look, or is at it. */
  #isLooking = false;

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
   * @param start computes the handshake, at the latest in the next tick
   * @returns takes it out of the line
   */
  begin(address: string, start: () => void): () => void {
    const leave = this.#waiting.push(this.#isKnown(address), address, start);
    this.#look();
    return leave;
  }

  #look(): void {
    if (this.#isLooking) return;
    this.#isLooking = true;
    setTimeout(() => this.#beginNext(this.#monoMs()), LOOK_MS);
  }

  /** Node gives OpenSSL what was read in a tick of its own, behind the one that starts TLS: what it costs is known in the tick after that. */
  #beginNext(sinceMs: number): void {
    const nowMs = this.#monoMs();
    if (nowMs - sinceMs < SPENT_MS && !this.#waiting.isEmpty && this.#bucket.take(nowMs)) {
      this.#waiting.shift()?.();
      process.nextTick(() => this.#beginNext(sinceMs));
      return;
    }
    this.#isLooking = false;
    if (!this.#waiting.isEmpty) this.#look();
  }
}
