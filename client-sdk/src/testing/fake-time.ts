import type { CancelTimer, Clock } from '../host.js';

interface FakeTimer {
  readonly atMs: number;
  readonly order: number;
  readonly callback: () => void;
}

/** Clocks and timers that move only when a test says so. */
export class FakeTime implements Clock {
  #monoMs = 1_000;
  /** 15 January 2027, 08:00 UTC: a test that fails today fails in the same way next year. */
  #wallMs = 1_800_000_000_000;
  #order = 0;
  readonly #timers = new Set<FakeTimer>();

  monoMs(): number {
    return this.#monoMs;
  }
  wallMs(): number {
    return this.#wallMs;
  }
  uptimeMs(): number {
    return this.#monoMs;
  }

  setTimer(callback: () => void, delayMs: number): CancelTimer {
    const atMs = this.#monoMs + Math.max(0, Math.ceil(delayMs));
    const timer = { atMs, order: this.#order++, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Time goes by: timers fire in their order, and what follows from each has happened before the next. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#monoMs + ms;
    await settled();
    for (;;) {
      const [next] = [...this.#timers].sort((a, b) => a.atMs - b.atMs || a.order - b.order);
      if (next === undefined || next.atMs > endMs) break;
      this.#timers.delete(next);
      this.#pass(Math.max(0, next.atMs - this.#monoMs));
      next.callback();
      await settled();
    }
    this.#pass(Math.max(0, endMs - this.#monoMs));
    await settled();
  }

  #pass(ms: number): void {
    this.#monoMs += ms;
    this.#wallMs += ms;
  }
}

// Taken when this is loaded: a test may replace the platform's timers afterwards.
const platformTimer = setTimeout;

/** Everything that was only waiting for promises has happened. */
export function settled(): Promise<void> {
  return new Promise((resolve) => platformTimer(resolve, 0));
}
