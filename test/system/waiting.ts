import { setTimeout as pause } from 'node:timers/promises';

/** How long at most: a machine that is busy with other things is slow, not broken. What Berth promises is asserted elsewhere. */
const PATIENCE_MS = 60_000;

/** Looks again and again until there is something; tests wait for what they need, never for a time (STYLE 10). */
export async function until<T>(
  what: string,
  look: () => Promise<T | null | undefined | false> | T | null | undefined | false,
  withinMs = PATIENCE_MS,
  everyMs = 25,
): Promise<T> {
  const endMs = performance.now() + withinMs;
  for (;;) {
    const found = await look();
    if (found !== null && found !== undefined && found !== false) return found;
    if (performance.now() > endMs) throw new Error(`Waited ${withinMs} ms in vain for ${what}`);
    await pause(everyMs);
  }
}

/** What the promise says, or an error that names what did not come. */
export async function within<T>(what: string, promise: Promise<T>, withinMs = PATIENCE_MS): Promise<T> {
  const abort = new AbortController();
  const late = pause(withinMs, undefined, { signal: abort.signal }).then(() => {
    throw new Error(`Waited ${withinMs} ms in vain for ${what}`);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    late.catch(() => undefined);
    abort.abort();
  }
}
