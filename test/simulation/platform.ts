import type { Owner, SimTime } from './sim-time.js';

// What the code under test takes from the JavaScript platform itself, for as long as a simulation runs in this process: timers on simulated
// time, and two things whose own cost would be most of the simulation's.

const settled = Promise.resolve();

const real = {
  setTimeout: globalThis.setTimeout,
  setInterval: globalThis.setInterval,
  clearTimeout: globalThis.clearTimeout,
  clearInterval: globalThis.clearInterval,
  queueMicrotask: globalThis.queueMicrotask,
  AbortController: globalThis.AbortController,
  stackTraceLimit: Error.stackTraceLimit,
};

/**
 * Puts this process onto simulated time: the server's connections use the global timers. They belong to whoever `current` names when they are
 * set. Refusals are thrown by the thousand, so no error has a stack unless `stacks` are wanted.
 * @returns a function that puts everything back
 */
export function takePlatform(current: () => { time: SimTime; owner: Owner }, stacks: boolean): () => void {
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
    queueMicrotask: (callback: () => void) => void settled.then(callback),
    AbortController: PlainAbortController,
  });
  if (!stacks) Error.stackTraceLimit = 0;
  return () => {
    const { stackTraceLimit, ...globals } = real;
    Object.assign(globalThis, globals);
    Error.stackTraceLimit = stackTraceLimit;
  };
}

function timerItself<T>(this: T): T {
  return this;
}

type Listener = () => void;

/** What is used of an `AbortSignal`: the platform's makes an exception with a stack for each abort, and weak references for each signal. */
class PlainAbortSignal extends EventTarget {
  aborted = false;
  readonly #listeners = new Set<Listener>();

  override addEventListener(_type: 'abort', listener: Listener): void {
    if (!this.aborted) this.#listeners.add(listener);
  }

  override removeEventListener(_type: 'abort', listener: Listener): void {
    this.#listeners.delete(listener);
  }

  abort(): void {
    if (this.aborted) return;
    this.aborted = true;
    const listeners = [...this.#listeners];
    this.#listeners.clear();
    for (const listener of listeners) listener();
  }
}

class PlainAbortController {
  readonly signal = new PlainAbortSignal();
  abort(): void {
    this.signal.abort();
  }
}
