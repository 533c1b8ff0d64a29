import type { Evidence, Finding } from './evidence.js';
import { eventsOf } from './history.js';

/** I6: nothing is told before it is durable, by a push neither: a lease that its plugin was told is revoked is so in the journal. */
export function toldTooEarly({ journal, entries }: Evidence): Finding[] {
  if (journal === undefined || journal.fault !== null) return [];
  const revoked = new Set(
    journal.records.flatMap(({ changes }) =>
      changes.flatMap(({ type, id }) => (type === 'lease.revoked' ? [String(id)] : [])),
    ),
  );
  return eventsOf(entries, 'pushed').flatMap(({ method, lease, process }): Finding[] => {
    if (method !== 'lease.revoked' || lease === undefined || revoked.has(lease)) return [];
    return [
      {
        rule: 'I6',
        text: `${process} was told that lease ${lease} is revoked, the journal does not have it`,
      },
    ];
  });
}
