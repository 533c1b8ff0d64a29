import type { TransportLimits } from './limits.js';

/** What became of the nonce of a signed request. */
export type NonceVerdict = 'fresh' | 'replayed' | 'too-many';

/** One challenge and the requests that have answered to it. */
interface Generation {
  readonly challenge: string;
  readonly madeAtMs: number;
  /** Device key -> the nonces it has used. */
  readonly used: Map<string, Set<string>>;
  count: number;
}

/**
 * What makes a signed request good for once (docs/decisions/0007). Every request is signed over a challenge of this start of the server; what was
 * signed for an earlier start is stale without anything kept about it. A nonce is remembered exactly as long as the challenge it was
 * used with is accepted, so that no clock, neither ours nor the client's, has a part in it.
 */
export class Challenges {
  readonly #limits: TransportLimits;
  readonly #newNonce: () => string;
  #current: Generation;
  #previous: Generation | null = null;

  constructor(limits: TransportLimits, newNonce: () => string, nowMs: number) {
    this.#limits = limits;
    this.#newNonce = newNonce;
    this.#current = this.#generation(nowMs);
  }

  /** The challenge for new requests. */
  current(nowMs: number): string {
    const { challengeMs, httpNoncesKept } = this.#limits;
    const isOld = nowMs - this.#current.madeAtMs >= challengeMs;
    // Full: the next one comes early. Who is late signs once more, and nobody is refused.
    if (isOld || this.#current.count >= httpNoncesKept) {
      this.#previous = this.#current;
      this.#current = this.#generation(nowMs);
    }
    return this.#current.challenge;
  }

  isAccepted(challenge: string): boolean {
    return this.#find(challenge) !== null;
  }

  /** Uses a nonce up. Only for devices that are enrolled and have signed it: strangers take no memory. */
  use(challenge: string, deviceKey: string, nonce: string): NonceVerdict {
    const generation = this.#find(challenge);
    // Rotated away while the signature was checked: the request cannot be told from a replay.
    if (generation === null) return 'replayed';
    const used = generation.used.get(deviceKey) ?? new Set<string>();
    if (used.has(nonce)) return 'replayed';
    if (used.size >= this.#limits.httpNoncesPerDevice) return 'too-many';
    generation.used.set(deviceKey, used.add(nonce));
    generation.count++;
    return 'fresh';
  }

  #find(challenge: string): Generation | null {
    if (this.#current.challenge === challenge) return this.#current;
    return this.#previous?.challenge === challenge ? this.#previous : null;
  }

  #generation(madeAtMs: number): Generation {
    return { challenge: this.#newNonce(), madeAtMs, used: new Map(), count: 0 };
  }
}
