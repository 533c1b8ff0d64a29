import type { Entry } from './history.js';

const aboutEntitlements: ReadonlySet<Entry['event']> = new Set(['imported', 'removing', 'removed', 'kept']);

/**
 * The history without what is said once more of entitlements: who asks with the key of a request that was answered hears the same, and changes nothing (I7),
 * whatever became of the entitlement since.
 */
export function withoutEchoes(entries: readonly Entry[]): Entry[] {
  const answered = new Set<string>();
  const echoing = new Set<string>();
  return entries.filter((entry) => {
    const { process, event } = entry;
    if ((event === 'request' || event === 'result') && entry.key !== undefined) {
      if (answered.has(entry.key)) echoing.add(process);
      else echoing.delete(process);
      if (event === 'result') answered.add(entry.key);
    }
    return !(aboutEntitlements.has(event) && echoing.has(process));
  });
}
