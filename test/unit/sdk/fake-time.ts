import type { Clock } from '@berth/client';

interface FakeTimer {
  readonly atMs: number;
  readonly order: number;
  readonly callback: () => void;
}

/** Clocks and timers that move only when a test says so. */
export class FakeTime implements Clock {
  #monoMs = 1_000;
  #wallMs = 1_800_000_000_000;
  #uptimeMs: number | null = 5_000;
  #order = 0;
  readonly #timers = new Set<FakeTimer>();

  monoMs(): number {
    return this.#monoMs;
  }
  wallMs(): number {
    return this.#wallMs;
  }
  uptimeMs(): number | null {
    return this.#uptimeMs;
  }

  setTimer(callback: () => void, delayMs: number): () => void {
    const timer = { atMs: this.#monoMs + Math.max(0, Math.ceil(delayMs)), order: this.#order++, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  get timers(): number {
    return this.#timers.size;
  }

  /** The computer sleeps: the monotonic clock and the timers stand still. */
  sleep(ms: number): void {
    this.#wallMs += ms;
    if (this.#uptimeMs !== null) this.#uptimeMs += ms;
  }

  setWall(ms: number): void {
    this.#wallMs = ms;
  }

  /** Time goes by; timers fire in their order, and what follows from each settles before the next. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#monoMs + ms;
    await settle();
    for (;;) {
      const [next] = [...this.#timers].sort((a, b) => a.atMs - b.atMs || a.order - b.order);
      if (next === undefined || next.atMs > endMs) break;
      this.#timers.delete(next);
      this.#pass(Math.max(0, next.atMs - this.#monoMs));
      next.callback();
      await settle();
    }
    this.#pass(Math.max(0, endMs - this.#monoMs));
    await settle();
  }

  /** Time goes by but nothing runs: a blocked event loop. */
  block(ms: number): void {
    this.#pass(ms);
  }

  #pass(ms: number): void {
    this.#monoMs += ms;
    this.#wallMs += ms;
    if (this.#uptimeMs !== null) this.#uptimeMs += ms;
  }
}

/** Lets every promise that can settle do so. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
}
