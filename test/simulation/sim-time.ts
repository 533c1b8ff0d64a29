// One true time for a whole simulated site. Everything that happens is an event on one heap; between two events all promises run dry. So
// the order of everything follows from the seed alone.

/** Somebody whose events can be held up or dropped: one process, of a client or of the server. */
export interface Owner {
  /** Its events never happen any more. */
  dead: boolean;
  /** Its events happen no earlier (a suspended computer, a stopped process), ms of true time. */
  frozenUntilMs: number;
}

export function newOwner(): Owner {
  return { dead: false, frozenUntilMs: 0 };
}

interface Event {
  atMs: number;
  order: number;
  readonly owner: Owner;
  action: (() => void) | null;
}

const nextTurn = setImmediate;

/** All promises run dry. */
function turn(): Promise<void> {
  return new Promise((resolve) => nextTurn(resolve));
}

export class SimTime {
  /** True time, ms since the simulation began. */
  nowMs = 0;
  events = 0;
  readonly #heap: Event[] = [];
  #order = 0;

  /** @returns a function that cancels it. */
  after(delayMs: number, owner: Owner, action: () => void): () => void {
    const event: Event = {
      atMs: this.nowMs + Math.max(0, delayMs),
      order: this.#order++,
      owner,
      action,
    };
    this.#push(event);
    return () => {
      event.action = null;
    };
  }

  every(intervalMs: number, owner: Owner, action: () => void): () => void {
    let cancel = (): void => {};
    const again = (): void => {
      cancel = this.after(intervalMs, owner, () => {
        again();
        action();
      });
    };
    again();
    return () => cancel();
  }

  sleep(delayMs: number, owner: Owner): Promise<void> {
    return new Promise((resolve) => this.after(delayMs, owner, resolve));
  }

  /** Everything up to that moment, in order; `until` ends it earlier. */
  async run(untilMs: number, until: () => boolean = () => false): Promise<void> {
    await turn();
    for (;;) {
      const event = this.#heap[0];
      if (event === undefined || event.atMs > untilMs || until()) break;
      this.#pop();
      const { owner, action } = event;
      if (action === null || owner.dead) continue;
      if (owner.frozenUntilMs > event.atMs) {
        event.atMs = owner.frozenUntilMs;
        this.#push(event);
        continue;
      }
      this.nowMs = event.atMs;
      this.events++;
      action();
      await turn();
    }
    if (!until() && Number.isFinite(untilMs)) this.nowMs = Math.max(this.nowMs, untilMs);
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(event);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(event, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = event;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!isBefore(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}

/**
 * Puts the global timers of this process onto simulated time: the server's connections use them. They belong to whoever `owner` names
 * when they are set.
 */
export function captureTimers(current: () => { time: SimTime; owner: Owner }): void {
  const timer = (cancel: () => void) => ({ cancel, unref: timerItself, ref: timerItself });
  const clear = (handle: { cancel?: () => void } | undefined | null): void => handle?.cancel?.();
  const set = (callback: (...rest: unknown[]) => void, delayMs = 0, ...rest: unknown[]) => {
    const { time, owner } = current();
    return timer(time.after(delayMs, owner, () => callback(...rest)));
  };
  const repeat = (callback: (...rest: unknown[]) => void, delayMs = 0, ...rest: unknown[]) => {
    const { time, owner } = current();
    return timer(time.every(delayMs, owner, () => callback(...rest)));
  };
  Object.assign(globalThis, {
    setTimeout: set,
    setInterval: repeat,
    clearTimeout: clear,
    clearInterval: clear,
  });
}

function timerItself<T>(this: T): T {
  return this;
}
