import { durableBy } from './early-endings.js';
import type { Evidence, Finding } from './evidence.js';
import { eventsOf } from './history.js';
import type { ProductRow } from './ledger.js';
import { RHO } from './rights.js';
import type { LeaseClaims } from './token.js';

/**
 * PRODUCT.md: a seat is taken back for idleness when all its plugins have been idle for as long as its pool allows. So every lease that the journal takes back for
 * it is one whose plugin said so in a renewal, and it cannot have been idle for less by then.
 */
export function takenThoughUsed(evidence: Evidence): Finding[] {
  const { journal, entries } = evidence;
  if (journal === undefined || journal.fault !== null) return [];
  const since = idleSince(entries);
  const seenBy = durableBy(evidence);
  const claims = new Map<string, LeaseClaims>();
  const limits = new Map<string, number>();
  return journal.records.flatMap(({ seq, changes }) =>
    changes.flatMap(({ type, lease, id: which, cause, product }): Finding[] => {
      const id = String(which);
      if (type === 'lease.granted') {
        const granted = (lease as { claims: LeaseClaims }).claims;
        claims.set(granted.jti, granted);
      }
      if (type === 'product.put') {
        const { product: name, settings } = product as ProductRow;
        limits.set(name, settings?.idleSeconds ?? 0);
      }
      if (type !== 'lease.revoked' || cause !== 'idle') return [];
      const of = claims.get(id);
      const what = `record ${seq}: lease ${id} of seat ${of?.seat} is taken back as idle`;
      const idleT = since.get(id);
      if (idleT === undefined) return [{ rule: 'IDLE', text: `${what}, its plugin never said that it is` }];
      const seconds = limits.get(of?.product ?? '') ?? 0;
      const seen = seenBy(seq);
      const shortMs = seen === null ? 0 : Math.round((seconds * (1 - RHO) - 1) * 1000 - (seen.t - idleT));
      return shortMs <= 0
        ? []
        : [
            {
              rule: 'IDLE',
              text: `${what} ${shortMs} ms before it was for the ${seconds} s that are allowed`,
            },
          ];
    }),
  );
}

/** Since when each lease was idle at the earliest, by the most that its plugin ever said. */
function idleSince(entries: Evidence['entries']): Map<string, number> {
  const since = new Map<string, number>();
  for (const { idle = [], t } of eventsOf(entries, 'request'))
    for (const { lease, seconds } of idle)
      since.set(lease, Math.min(since.get(lease) ?? t, t - (seconds + 1) * 1000 * (1 + RHO)));
  return since;
}
