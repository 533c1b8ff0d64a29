import type { Evidence } from './evidence.js';
import { eventsOf } from './history.js';
import type { Change } from './journal-entry.js';

/** Of a record: a moment before which not all of it can have been decided, since somebody asked for it then. */
export function decidedAfter({ entries }: Pick<Evidence, 'entries'>): (changes: readonly Change[]) => number {
  const sent = new Map<string, number>();
  for (const { key, t } of eventsOf(entries, 'request'))
    if (key !== undefined && !sent.has(key)) sent.set(key, t);
  return (changes) =>
    changes.reduce((latest, { type, request }) => {
      if (type !== 'request.kept') return latest;
      const key = (request as { readonly id: string }).id.split(' ').at(-1)!;
      return Math.max(latest, sent.get(key) ?? Number.NEGATIVE_INFINITY);
    }, Number.NEGATIVE_INFINITY);
}
