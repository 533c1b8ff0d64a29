import type { Keys } from '../system/device-keys.js';
import { newNonce } from '../system/device-keys.js';
import { sortedAt } from './measure.js';
import { claimsIn, codeOf, Peer, type Target } from './peer.js';

/** Those that came in, and knew before the phase was over what became of it. */
export interface Arrived {
  readonly tried: number;
  readonly served: number;
  readonly p99Ms: number;
}

/** As the SDK waits for a renewal at the least. */
const ANSWER_MS = 5_000;

/** People who come in, take a seat and leave. */
export class Arrivals {
  readonly #target: Target;
  #phase = 0;
  #tried = 0;
  #servedMs: number[] = [];

  constructor(target: Target) {
    this.#target = target;
  }

  begin(): void {
    this.#phase++;
    this.#tried = 0;
    this.#servedMs = [];
  }

  get arrived(): Arrived {
    return { tried: this.#tried, served: this.#servedMs.length, p99Ms: sortedAt(this.#servedMs, 0.99) };
  }

  async comeIn(keys: Keys, from: string): Promise<void> {
    const [phase, since] = [this.#phase, performance.now()];
    const isServed = await this.#takeAndLeave(keys, from).catch(() => false);
    // What began in another time says nothing of this one.
    if (phase !== this.#phase) return;
    this.#tried++;
    if (isServed) this.#servedMs.push(performance.now() - since);
  }

  async #takeAndLeave(keys: Keys, from: string): Promise<boolean> {
    const peer = await Peer.open(this.#target, keys, { from, signal: AbortSignal.timeout(ANSWER_MS) });
    try {
      // Seats that no attacker asks for: those it may take it may keep.
      const wants = [{ products: ['lobby'], seats: 1 }];
      const granted = await peer.ask('lease.checkout', { key: newNonce(), nonce: newNonce(), wants });
      const taken = claimsIn(granted).map(({ jti }) => jti);
      const released = await peer.ask('lease.release', { key: newNonce(), leases: taken });
      return taken.length === 1 && codeOf(released) === null;
    } finally {
      peer.close();
    }
  }
}
