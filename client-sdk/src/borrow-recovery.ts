import type { BorrowDesk } from './borrow-desk.js';
import { performReturn } from './borrow-return.js';
import { performTake } from './borrow-take.js';

/**
 * Repeats the requests about borrows that a crash or a lost connection left without an answer, exactly as they were sent: the
 * server gives the result it gave before (I7). One that it never saw it takes as new, or refuses for its old clock reading (I3).
 * Never throws: what does not work now stays on disk for the next time.
 */
export class BorrowRecovery {
  readonly #desk: BorrowDesk;
  #running: Promise<void> | null = null;

  constructor(desk: BorrowDesk) {
    this.#desk = desk;
  }

  run(): Promise<void> {
    this.#running ??= this.#repeatAll()
      .catch(() => undefined)
      .finally(() => {
        this.#running = null;
      });
    return this.#running;
  }

  async #repeatAll(): Promise<void> {
    const { pending, product, shelf, session } = this.#desk;
    const ours = (request: { product: string }) => product === null || request.product === product;
    for (const request of await pending.claim('take', ours)) {
      await performTake(this.#desk, request, true).catch(() => undefined);
    }
    for (const request of await pending.claim('return')) {
      await performReturn(this.#desk, request, true).catch(() => undefined);
    }
    const { me } = session.link;
    if (me !== null) await shelf.tidy(me.nowMs);
  }
}
