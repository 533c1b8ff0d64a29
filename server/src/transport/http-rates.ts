import type { TransportLimits } from './limits.js';
import { KeyedBuckets, TokenBucket } from './token-bucket.js';

/**
 * How much plain HTTP is answered before anybody has proved who they are: so much to each address, and to all together. What an address
 * asks for now and then (a monitor, a render node) does not count for all, so that a hundred busy addresses do not shut it out.
 */
export class HttpRates {
  readonly #calm: KeyedBuckets;
  readonly #addresses: KeyedBuckets;
  readonly #all: TokenBucket;

  constructor(limits: TransportLimits, perSecond: number, nowMs: number) {
    const { httpCalmPerAddressPerSecond: calm, httpRequestsPerAddressPerSecond: busy } = limits;
    this.#calm = new KeyedBuckets({ perSecond: calm, burst: calm });
    this.#addresses = new KeyedBuckets({ perSecond: busy, burst: busy });
    this.#all = new TokenBucket({ perSecond, burst: perSecond }, nowMs);
  }

  take(address: string, nowMs: number): boolean {
    if (!this.#addresses.take(address, nowMs)) return false;
    return this.#calm.take(address, nowMs) || this.#all.take(nowMs);
  }
}
