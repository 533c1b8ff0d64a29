import { BerthError } from './errors.js';
import type { Host } from './host.js';

export interface Deferred<T> {
  readonly promise: Promise<T>;
  resolve(value: T): void;
  reject(reason: BerthError): void;
}

export function deferred<T>(): Deferred<T> {
  let settle: Pick<Deferred<T>, 'resolve' | 'reject'> | undefined;
  const promise = new Promise<T>((resolve, reject) => {
    settle = { resolve, reject };
  });
  return { promise, ...settle! };
}

export function cancelled(): BerthError {
  return new BerthError('CANCELLED');
}

/** @throws BerthError CANCELLED */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw cancelled();
}

/** Resolves after `delayMs`. @throws BerthError CANCELLED as soon as the signal says so */
export function sleep(host: Host, delayMs: number, signal?: AbortSignal): Promise<void> {
  const elapsed = deferred<void>();
  const cancel = host.setTimer(() => elapsed.resolve(), Math.max(0, delayMs));
  return unlessAborted(elapsed.promise, signal).finally(cancel);
}

/** The promise, or CANCELLED at once when the signal comes first. The work itself goes on. */
export function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  const abort = deferred<never>();
  const onAbort = () => abort.reject(cancelled());
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  return Promise.race([work, abort.promise]).finally(() => signal.removeEventListener('abort', onAbort));
}

/** `waited` is the work with a limit of some kind. When that comes first, what the work still makes is undone. */
export function undoIfLate<T>(
  work: Promise<T>,
  waited: Promise<T>,
  undo: (result: T) => Promise<unknown>,
): Promise<T> {
  return waited.catch((error: unknown) => {
    unattended(work.then(undo));
    throw error;
  });
}

/** The promise, or what `late` makes when it takes longer than `limitMs`. The work itself goes on. */
export function within<T>(host: Host, work: Promise<T>, limitMs: number, late: () => BerthError): Promise<T> {
  const limit = deferred<never>();
  const cancel = host.setTimer(() => limit.reject(late()), limitMs);
  return Promise.race([work, limit.promise]).finally(cancel);
}

/** A promise nobody waits for: its failure was dealt with where it happened. */
export function unattended(work: Promise<unknown>): void {
  work.catch(() => undefined);
}

/** Keeps the process alive while the work goes on: timers and sockets alone do not. */
export async function holding<T>(host: Host, work: () => Promise<T>): Promise<T> {
  const letProcessEnd = host.keepAlive();
  try {
    return await work();
  } finally {
    letProcessEnd();
  }
}
