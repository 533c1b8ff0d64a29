import type { CancelTimer, Host } from './host.js';
import { randomBetween } from './random.js';
import { timing } from './timing.js';

/** The pauses between attempts to connect: exponential, jittered, begun anew when somebody is waiting. */
export class ReconnectPause {
  readonly #host: Host;
  readonly #affordableMs: () => number;
  #failures = 0;
  /** Not before this moment of the monotonic clock: the server said when to come back. */
  #notBeforeMs = Number.NEGATIVE_INFINITY;
  #current: { end: () => void; timer: CancelTimer; sinceMs: number } | null = null;
  /** So many wait for a connection. */
  #callers = 0;

  /** @param affordableMs the longest pause that what is held allows, looked up at each pause */
  constructor(host: Host, affordableMs: () => number) {
    this.#host = host;
    this.#affordableMs = affordableMs;
  }

  succeeded(): void {
    this.#failures = 0;
  }

  failed(): void {
    this.#failures++;
  }

  /** The server asks to reconnect after about this time, ms (`server.draining`). */
  postpone(delayMs: number): void {
    // Spread out, since others were told the same; but no wait is worth a seat.
    const spreadMs = delayMs * randomBetween(this.#host, 1, 1.2);
    this.#notBeforeMs = this.#host.clock.monoMs() + Math.min(spreadMs, 2 * this.#affordableMs());
  }

  wait(): Promise<void> {
    const sinceMs = this.#host.clock.monoMs();
    const backoffMs = this.#limitMs() * randomBetween(this.#host, 0.5, 1);
    return new Promise((resolve) => {
      const end = () => {
        this.#current = null;
        resolve();
      };
      const delayMs = Math.max(backoffMs, this.#notBeforeMs - sinceMs);
      this.#current = { end, sinceMs, timer: this.#host.setTimer(end, delayMs) };
    });
  }

  #limitMs(): number {
    const doubledMs = timing.backoffMinMs * 2 ** Math.min(this.#failures, 10);
    const longestMs = this.#callers > 0 ? timing.backoffWaitedMs : timing.backoffMaxMs;
    const capMs = Math.min(longestMs, this.#affordableMs());
    return Math.max(timing.backoffMinMs, Math.min(doubledMs, capMs));
  }

  /**
   * Somebody waits for a connection: the pauses start over, and stay short while anybody does. Once only, or a server that is down would
   * be asked at the shortest pause by everybody who waits for it. @returns a function that says the caller waits no longer
   */
  hurry(): () => void {
    if (this.#callers++ === 0) {
      this.#failures = 0;
      this.#shorten();
    }
    return () => {
      this.#callers--;
    };
  }

  /** To the shortest pause, counted from when it began. */
  #shorten(): void {
    const current = this.#current;
    if (current === null) return;
    const nowMs = this.#host.clock.monoMs();
    if (nowMs < this.#notBeforeMs) return;
    current.timer();
    const delayMs = Math.max(0, current.sinceMs + timing.backoffMinMs - nowMs);
    this.#current = { ...current, timer: this.#host.setTimer(current.end, delayMs) };
  }

  /** Ends the pause now. */
  stop(): void {
    const current = this.#current;
    if (current === null) return;
    current.timer();
    current.end();
  }
}
