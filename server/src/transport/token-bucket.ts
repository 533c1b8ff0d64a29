/** A rate limit: `burst` at once, then `perSecond`. Time is given to it. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

export class TokenBucket {
  readonly #rate: Rate;
  #tokens: number;
  #filledAtMs: number;

  constructor(rate: Rate, nowMs: number) {
    this.#rate = rate;
    this.#tokens = rate.burst;
    this.#filledAtMs = nowMs;
  }

  /** False, and nothing taken, when fewer than `cost` tokens are left. */
  take(nowMs: number, cost = 1): boolean {
    const gained = (Math.max(0, nowMs - this.#filledAtMs) * this.#rate.perSecond) / 1000;
    this.#tokens = Math.min(this.#rate.burst, this.#tokens + gained);
    this.#filledAtMs = nowMs;
    if (this.#tokens < cost) return false;
    this.#tokens -= cost;
    return true;
  }
}

/** More keys than this in one refill time means that the keys themselves are the attack; the oldest are forgotten. */
const MAX_KEYS = 100_000;

/**
 * One bucket per key. A key unused for as long as an empty bucket needs to fill carries no information any more and is
 * dropped at the next call: no timer, constant work per call.
 */
export class KeyedBuckets {
  readonly #rate: Rate;
  readonly #refillMs: number;
  /** Least recently used first: a Map iterates in the order of insertion, and every use inserts again. */
  readonly #entries = new Map<string, { readonly bucket: TokenBucket; usedAtMs: number }>();

  constructor(rate: Rate) {
    this.#rate = rate;
    this.#refillMs = (rate.burst / rate.perSecond) * 1000;
  }

  get size(): number {
    return this.#entries.size;
  }

  take(key: string, nowMs: number, cost = 1): boolean {
    const entry = this.#entries.get(key) ?? { bucket: new TokenBucket(this.#rate, nowMs), usedAtMs: nowMs };
    entry.usedAtMs = nowMs;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    this.#forget(nowMs);
    // What costs more than there can ever be waits for a full bucket, not for ever.
    return entry.bucket.take(nowMs, Math.min(cost, this.#rate.burst));
  }

  #forget(nowMs: number): void {
    for (const [key, { usedAtMs }] of this.#entries) {
      if (this.#entries.size <= MAX_KEYS && nowMs - usedAtMs < this.#refillMs) return;
      this.#entries.delete(key);
    }
  }
}
