import type { Evidence, Finding } from './evidence.js';
import { eventsOf } from './history.js';

/** DESIGN I2, delta, written down here a second time: how long a plugin has to stop once it is told that its seat is lost. */
const STOP_MS = 10_000;
/** What clocks drift meanwhile; and a renewal that comes too late may see the loss a moment before the plugin is told. */
const SLACK_MS = 100;

/**
 * I2: what is given back is free at once, so nobody gives back a seat whose plugin may still use it: it has said that it has stopped, or it was told that the
 * seat is lost and has had its time. Of plugins that nobody watches nothing is known.
 */
export function givenBackInUse({ entries, leases }: Evidence): Finding[] {
  if (eventsOf(entries, 'stopped').length === 0) return [];
  const isLent = borrowedSince(leases);
  const findings: Finding[] = [];
  /** By process and lease, as long as the plugin has not said that it has stopped: when it was told of the loss. */
  const usedBy = new Map<string, number | null>();
  for (const entry of entries) {
    const { t, process } = entry;
    if (entry.event === 'state')
      for (const lease of entry.leases) {
        const id = `${process} ${lease}`;
        if (isUse.has(entry.state)) usedBy.set(id, null);
        else if (entry.state === 'lost' && usedBy.get(id) === null) usedBy.set(id, t);
      }
    if (entry.event === 'stopped') for (const lease of entry.leases) usedBy.delete(`${process} ${lease}`);
    if (entry.event !== 'released') continue;
    for (const lease of entry.leases) {
      const lostT = usedBy.get(`${process} ${lease}`);
      if (lostT === undefined || isLent(lease, t)) continue;
      usedBy.delete(`${process} ${lease}`);
      if (lostT === null)
        findings.push({ rule: 'I2', text: `${process} gives back lease ${lease}, which its plugin uses` });
      else if (t - lostT < STOP_MS - SLACK_MS)
        findings.push({
          rule: 'I2',
          text: `${process} gives back lease ${lease} ${Math.round(t - lostT)} ms after its plugin was told that it is lost: it may not have stopped`,
        });
    }
  }
  return findings;
}

const isUse: ReadonlySet<string> = new Set(['held', 'grace']);

/** Whether the seat of an online lease goes on as a borrow: then the lease may go. */
function borrowedSince(leases: Evidence['leases']): (lease: string, t: number) => boolean {
  const seatOf = new Map<string, string>();
  const lentT = new Map<string, number>();
  for (const { token, answer } of leases) {
    const { jti, seat, kind } = token.claims;
    seatOf.set(jti, seat);
    if (kind === 'borrow') lentT.set(seat, Math.min(lentT.get(seat) ?? Number.POSITIVE_INFINITY, answer.t));
  }
  return (lease, t) => (lentT.get(seatOf.get(lease) ?? '') ?? Number.POSITIVE_INFINITY) <= t;
}
