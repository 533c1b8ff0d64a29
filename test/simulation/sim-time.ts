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
  /** When it was to happen, had nothing held it up. */
  dueMs: number;
  order: number;
  readonly owner: Owner;
  action: (() => void) | null;
}

const macrotask = setImmediate;
/** So often Node gets a turn of its own: it tells then of rejected promises that nobody looks after. */
const TURNS_OF_OURS = 256;

const settled = Promise.resolve();

/**
 * When all promises have run dry: a tick that a microtask asks for comes when no microtask is left, new ones included (one that a tick asks for comes
 * before them). It costs a tenth of a turn of Node's.
 */
function turnsOf(turn: () => void): (count: number) => void {
  const tick = (): void => process.nextTick(turn);
  return (count) => {
    if (count % TURNS_OF_OURS === 0) macrotask(turn);
    else void settled.then(tick);
  };
}

export class SimTime {
  /** True time, ms since the simulation began. */
  nowMs = 0;
  events = 0;
  readonly #heap: Event[] = [];
  #order = 0;

  /** @returns a function that cancels it. */
  after(delayMs: number, owner: Owner, action: () => void): () => void {
    const atMs = this.nowMs + Math.max(0, delayMs);
    const event: Event = { atMs, dueMs: atMs, order: this.#order++, owner, action };
    this.#push(event);
    return () => {
      event.action = null;
    };
  }

  every(intervalMs: number, owner: Owner, action: () => void): () => void {
    const atMs = this.nowMs + intervalMs;
    const event: Event = { atMs, dueMs: atMs, order: this.#order++, owner, action: null };
    event.action = (): void => {
      event.atMs = this.nowMs + intervalMs;
      event.dueMs = event.atMs;
      event.order = this.#order++;
      this.#push(event);
      action();
    };
    this.#push(event);
    return () => {
      event.action = null;
    };
  }

  sleep(delayMs: number, owner: Owner): Promise<void> {
    return new Promise((resolve) => this.after(delayMs, owner, resolve));
  }

  /** Somebody who was frozen goes on, and what was put off until they would have happens now. */
  thaw(owner: Owner): void {
    owner.frozenUntilMs = 0;
    const waiting = this.#heap.splice(0);
    for (const event of waiting) {
      if (event.owner === owner) event.atMs = Math.max(this.nowMs, event.dueMs);
      this.#push(event);
    }
  }

  /** Everything up to that moment, in order; `until` ends it earlier. */
  run(untilMs: number, until: () => boolean = () => false): Promise<void> {
    return new Promise((resolve, reject) => {
      const turn = (): void => {
        try {
          const event = until() ? null : this.#next(untilMs);
          if (event === null) {
            this.#rest(untilMs, until);
            resolve();
          } else {
            this.nowMs = event.atMs;
            event.action!();
            nextTurn(++this.events);
          }
        } catch (error) {
          reject(error);
        }
      };
      const nextTurn = turnsOf(turn);
      nextTurn(1);
    });
  }

  #rest(untilMs: number, until: () => boolean): void {
    if (!until() && Number.isFinite(untilMs)) this.nowMs = Math.max(this.nowMs, untilMs);
  }

  /** The next event that happens no later, off the heap: nothing of the dead, and nothing of the frozen before they thaw. */
  #next(untilMs: number): Event | null {
    for (;;) {
      const event = this.#heap[0];
      if (event === undefined || event.atMs > untilMs) return null;
      this.#pop();
      if (event.action === null || event.owner.dead) continue;
      if (event.owner.frozenUntilMs <= event.atMs) return event;
      event.atMs = event.owner.frozenUntilMs;
      this.#push(event);
    }
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

/** What was held up until the same moment happens in the order in which it was due: what came in meanwhile, then the timers that ran out later. */
function isBefore(a: Event, b: Event): boolean {
  if (a.atMs !== b.atMs) return a.atMs < b.atMs;
  return a.dueMs === b.dueMs ? a.order < b.order : a.dueMs < b.dueMs;
}
