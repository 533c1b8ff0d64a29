import { durableBy } from './early-endings.js';
import type { Evidence, Finding } from './evidence.js';
import { eventsOf } from './history.js';
import { decidedAfter } from './record-times.js';
import { RHO } from './rights.js';

/** A seat that nobody has any more, kept for whoever gave it back. */
interface Lingering {
  readonly seconds: number;
  /** When it was given back: not before the first, and seen to be by the second. */
  readonly fromT: number;
  byT: number;
}

/** How late a server may be that stands still for moments, ms. */
const LATE_MS = 5 * 60_000;

/** PRODUCT.md: a seat lingers for as long as its pool said when it was given back: it is free no earlier, nor kept for longer. After a start that time begins anew. */
export function lingersWrong(evidence: Evidence): Finding[] {
  const { journal } = evidence;
  if (journal === undefined || journal.fault !== null) return [];
  const findings: Finding[] = [];
  const seenBy = durableBy(evidence);
  const givenBackAt = firstReleases(evidence);
  const askedBy = decidedAfter(evidence);
  const seats = new Map<string, string>();
  const lingering = new Map<string, Lingering>();
  for (const { seq, changes } of journal.records) {
    const seenT = seenBy(seq)?.t ?? Number.POSITIVE_INFINITY;
    const accuse = (text: string) => findings.push({ rule: 'LINGER', text: `record ${seq}: seat ${text}` });
    for (const { type, id: which, lease, linger, reason } of changes) {
      const id = String(which);
      if (type === 'lease.granted') {
        const { jti, seat } = (lease as { claims: { jti: string; seat: string } }).claims;
        seats.set(jti, seat);
      }
      if (type === 'lease.ended' && linger !== undefined) {
        const { seconds } = linger as { readonly seconds: number };
        const fromT = givenBackAt.get(id) ?? Number.NEGATIVE_INFINITY;
        lingering.set(seats.get(id) ?? '', { seconds, fromT, byT: seenT });
      }
      if (type === 'journal.checkpoint') for (const each of lingering.values()) each.byT = seenT;
      if (type !== 'seat.freed' && type !== 'seat.resumed') continue;
      const { seconds, fromT } = lingering.get(id) ?? { seconds: 0, fromT: 0 };
      const earlyMs = Math.round(fromT + seconds * 1000 * (1 - RHO) - seenT);
      if (reason === 'expired' && earlyMs > 0)
        accuse(`${id} lingers for ${seconds} s, and is freed ${earlyMs} ms before that`);
      lingering.delete(id);
    }
    const nowT = askedBy(changes);
    for (const [id, { seconds, byT }] of lingering) {
      const lateMs = Math.round(nowT - byT - seconds * 1000 * (1 + RHO));
      if (lateMs <= LATE_MS) continue;
      accuse(`${id} lingers for ${seconds} s, and ${lateMs} ms after that it still does`);
      lingering.delete(id);
    }
  }
  return findings;
}

function firstReleases({ entries }: Evidence): ReadonlyMap<string, number> {
  const times = new Map<string, number>();
  for (const { leases, t } of eventsOf(entries, 'released'))
    for (const lease of leases) if (!times.has(lease)) times.set(lease, t);
  return times;
}
