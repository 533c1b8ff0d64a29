import type { Clock } from './host.js';
import { elapsedMs, type Reading, readClock } from './seat-clock.js';

/** Whether a plugin is in use, as it says itself. It counts from the checkout on: what was before is not the seat's. */
export class Idleness {
  readonly #clock: Clock;
  readonly #onActive: () => void;
  readonly #from: Reading;
  #since: { reading: Reading; alreadyMs: number } | null = null;
  #told = false;

  /** @param onActive it is in use again, and the server believes that it is idle */
  constructor(clock: Clock, onActive: () => void) {
    this.#clock = clock;
    this.#onActive = onActive;
    this.#from = readClock(clock);
  }

  idle(sinceMs: number): void {
    const now = readClock(this.#clock);
    const alreadyMs = Math.min(
      Math.max(0, Number.isFinite(sinceMs) ? sinceMs : 0),
      elapsedMs(this.#from, now),
    );
    // Said again without a time, it goes on as it began.
    if (this.#since === null || alreadyMs > 0) this.#since = { reading: now, alreadyMs };
  }

  active(): void {
    this.#since = null;
    if (!this.#told) return;
    this.#told = false;
    this.#onActive();
  }

  /** Whole seconds to be told to the server now; `null` while it is in use. */
  tellSeconds(): number | null {
    this.#told = this.#since !== null;
    if (this.#since === null) return null;
    const { reading, alreadyMs } = this.#since;
    return Math.floor((alreadyMs + elapsedMs(reading, readClock(this.#clock))) / 1000);
  }
}
