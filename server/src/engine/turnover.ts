/** How much the newest interval counts: the last few seats tell more about the next than this morning's. */
const NEWEST = 0.3;

/** How fast seats come to those who wait for one product: what an estimate rests on. Nothing else is known about the future. */
export class Turnover {
  #lastServedMs: number | null = null;
  #meanMs: number | null = null;

  /** Somebody in line was served. @param monoMs on the monotonic clock, as everywhere here */
  served(monoMs: number): void {
    if (this.#lastServedMs !== null) {
      const intervalMs = monoMs - this.#lastServedMs;
      this.#meanMs = this.#meanMs === null ? intervalMs : this.#meanMs * (1 - NEWEST) + intervalMs * NEWEST;
    }
    this.#lastServedMs = monoMs;
  }

  /** Nobody waits any more: the time until somebody does again says nothing about how fast seats come. */
  rest(): void {
    this.#lastServedMs = null;
  }

  /** How long until so many more were served, ms; `null` until two were. */
  estimateMs(count: number, monoMs: number): number | null {
    if (this.#meanMs === null) return null;
    // A seat that is overdue by its mean has shown that seats come slower now.
    const sinceMs = this.#lastServedMs === null ? 0 : monoMs - this.#lastServedMs;
    return Math.round(Math.max(this.#meanMs, sinceMs) * count);
  }
}
