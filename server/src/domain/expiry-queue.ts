/** Something to look at when its time comes. The queue is lazy: whoever takes it checks whether it is really due. */
export interface Due {
  readonly atMs: number;
  readonly kind:
    | 'lease'
    | 'lease-release'
    | 'linger'
    | 'request'
    | 'entitlement-start'
    | 'entitlement-notice'
    | 'entitlement-end'
    | 'mail'
    | 'job'
    | 'restore-window'
    | 'reserve';
  readonly id: string;
}

/**
 * A binary min-heap by time. There is one for each clock: online leases live on the monotonic one, borrows and
 * entitlements on the wall (I2, I3). A renewal does not move an entry: it is re-queued when it comes up too early.
 */
export class ExpiryQueue {
  readonly #heap: Due[] = [];

  get size(): number {
    return this.#heap.length;
  }

  /** When the next entry comes up, ms; `Infinity` when there is none. */
  get nextMs(): number {
    return this.#heap[0]?.atMs ?? Number.POSITIVE_INFINITY;
  }

  push(due: Due): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(due);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (heap[parent]!.atMs <= due.atMs) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = due;
  }

  /** Takes the first entry that is due at `nowMs`, or `undefined`. */
  takeDue(nowMs: number): Due | undefined {
    const heap = this.#heap;
    const first = heap[0];
    if (first === undefined || first.atMs > nowMs) return undefined;
    const last = heap.pop()!;
    if (heap.length > 0) this.#sink(last);
    return first;
  }

  #sink(due: Due): void {
    const heap = this.#heap;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && heap[child + 1]!.atMs < heap[child]!.atMs) child += 1;
      if (heap[child]!.atMs >= due.atMs) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = due;
  }
}
