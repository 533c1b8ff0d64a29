import type { ParamsOf } from '@berth/protocol';
import type { FakeSocket, Reply } from './fake-socket.js';
import type { FakeTime } from './fake-time.js';

type Served = Reply<'lease.checkout'>;

interface Waiter {
  readonly key: string;
  readonly socket: FakeSocket;
  /** The grant, or `null` while there is no seat. */
  serve(): Served | null;
  denied(): Served;
  answer(reply: Served | null): void;
  cancelTimer(): void;
}

/** Checkouts that wait, first come first served (PROTOCOL 8.1). */
export class FakeLine {
  readonly #time: FakeTime;
  #waiters: Waiter[] = [];

  constructor(time: FakeTime) {
    this.#time = time;
  }

  wait(
    { key, waitMs = 0 }: ParamsOf<'lease.checkout'>,
    socket: FakeSocket,
    serve: () => Served | null,
    denied: () => Served,
  ): Promise<Served | null> {
    return new Promise((resolve) => {
      const cancelTimer = this.#time.setTimer(() => this.#leave(key, denied()), waitMs);
      this.#leave(key, null);
      this.#waiters.push({ key, socket, serve, denied, answer: resolve, cancelTimer });
      this.#tellPlaces();
    });
  }

  /** Seats may have come free. */
  serve(): void {
    for (const waiter of [...this.#waiters]) {
      const granted = waiter.serve();
      if (granted === null) break;
      this.#leave(waiter.key, granted);
    }
    this.#tellPlaces();
  }

  cancel(key: string): boolean {
    const waiter = this.#waiters.find((one) => one.key === key);
    if (waiter === undefined) return false;
    this.#leave(key, waiter.denied());
    return true;
  }

  /** The connection is gone: its client asks again on the next one. */
  forget(socket: FakeSocket): void {
    for (const waiter of this.#waiters) if (waiter.socket === socket) this.#leave(waiter.key, null);
  }

  #leave(key: string, reply: Served | null): void {
    const waiter = this.#waiters.find((one) => one.key === key);
    if (waiter === undefined) return;
    this.#waiters = this.#waiters.filter((one) => one !== waiter);
    waiter.cancelTimer();
    waiter.answer(reply);
  }

  #tellPlaces(): void {
    this.#waiters.forEach(({ key, socket }, at) => {
      socket.push('lease.queued', { checkout: key, position: at + 1, estimateMs: null, nextFreeAtMs: null });
    });
  }
}
