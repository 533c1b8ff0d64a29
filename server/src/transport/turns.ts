import { KnownFirst } from './known-first.js';

/**
 * Who is served when more was asked for than one turn of the event loop can bear: devices with a session take turns, before the addresses of those who open
 * one, and between two turns sockets are read, so that a renewal never waits for the whole burst of somebody else.
 */
export class Turns {
  readonly #queue = new KnownFirst<() => void>();
  readonly #monoMs: () => number;
  readonly #turnMs: number;
  #scheduled = false;

  constructor(monoMs: () => number, turnMs: number) {
    this.#monoMs = monoMs;
    this.#turnMs = turnMs;
  }

  /** Runs the job of a stranger soon; never in the turn that asks. */
  run(address: string, job: () => void): void {
    this.#queue.push(false, address, job);
    this.#schedule();
  }

  /** As `run`, for a device that has proved who it is. */
  runKnown(device: string, job: () => void): void {
    this.#queue.push(true, device, job);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => this.#turn());
  }

  #turn(): void {
    this.#scheduled = false;
    const startedMs = this.#monoMs();
    do {
      this.#queue.shift()?.();
    } while (!this.#queue.isEmpty && this.#monoMs() - startedMs < this.#turnMs);
    if (!this.#queue.isEmpty) this.#schedule();
  }
}
