const signals = ['SIGHUP', 'SIGINT', 'SIGTERM'] as const;
const cleanups = new Set<() => void>();
let isWatched = false;

/**
 * Does something when this process ends, by itself or by a signal, unless it was called off before: what a run has started must not
 * outlive it. Nothing asynchronous happens then. @returns calls it off
 */
export function atEnd(cleanup: () => void): () => void {
  if (!isWatched) watch();
  isWatched = true;
  cleanups.add(cleanup);
  return () => cleanups.delete(cleanup);
}

function watch(): void {
  process.on('exit', cleanUp);
  for (const signal of signals)
    process.once(signal, () => {
      cleanUp();
      // As if nobody had listened: a test runner replaces process.exit.
      process.kill(process.pid, signal);
    });
}

function cleanUp(): void {
  for (const cleanup of cleanups) cleanup();
  cleanups.clear();
}
