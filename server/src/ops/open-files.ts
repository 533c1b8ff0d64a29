import { readFileSync } from 'node:fs';

/** Journal, state, log and what Node itself has open; LevelDB opens a file for each table it reads. */
const KEPT_FILES = 256;

/** How many files this process may open; `null` where nobody says. Node has raised the soft limit to the hard one at its start. */
export function openFileLimit(): number | null {
  try {
    const soft = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
    return soft === undefined ? null : Number(soft);
  } catch {
    return null;
  }
}

/**
 * How many of `wanted` sockets may be open so that the journal can always open its next file: without one it would have to stop the
 * server (DESIGN 2), and strangers open sockets.
 */
export function socketsWithin(limit: number | null, wanted: number): number {
  if (limit === null) return wanted;
  return Math.max(1, Math.min(wanted, limit - Math.min(KEPT_FILES, Math.ceil(limit / 2))));
}
