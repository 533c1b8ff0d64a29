import type { Evidence, Finding } from './evidence.js';
import { eventsOf } from './history.js';
import type { LeaseClaims } from './token.js';

/**
 * PRODUCT.md: a seat is taken back for idleness when all its plugins have been idle. So every lease that the journal takes back for it is one whose plugin said
 * so in a renewal.
 */
export function takenThoughUsed({ journal, entries }: Evidence): Finding[] {
  if (journal === undefined || journal.fault !== null) return [];
  const said = new Set(
    eventsOf(entries, 'request').flatMap(({ idle = [] }) => idle.map(({ lease }) => lease)),
  );
  const claims = new Map<string, LeaseClaims>();
  return journal.records.flatMap(({ seq, changes }) =>
    changes.flatMap(({ type, lease, id, cause }): Finding[] => {
      if (type === 'lease.granted') {
        const granted = (lease as { claims: LeaseClaims }).claims;
        claims.set(granted.jti, granted);
      }
      if (type !== 'lease.revoked' || cause !== 'idle' || said.has(String(id))) return [];
      const seat = claims.get(String(id))?.seat;
      return [
        {
          rule: 'IDLE',
          text: `record ${seq}: lease ${String(id)} of seat ${seat} is taken back as idle, its plugin never said that it is`,
        },
      ];
    }),
  );
}
