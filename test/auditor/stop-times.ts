import type { Evidence, Finding } from './evidence.js';
import { type EntryOf, eventsOf } from './history.js';
import type { LeaseClaims } from './token.js';

/** DESIGN I2, delta, written down here a second time: how long a plugin has to stop once it is told that its seat is lost. */
const STOP_MS = 10_000;
/** What clocks drift meanwhile; and a renewal that comes too late may see the loss a moment before the plugin is told. */
const SLACK_MS = 100;

/**
 * I2: what is given back is free at once, so nobody gives back a seat whose plugin may still use it: it has said that it has stopped, or it was told that the
 * seat is lost and has had its time. Of plugins that nobody watches nothing is known.
 */
export function givenBackInUse(evidence: Evidence): Finding[] {
  const { entries } = evidence;
  if (eventsOf(entries, 'stopped').length === 0) return [];
  const isLent = goesOn(evidence);
  const findings: Finding[] = [];
  /** By process and lease, as long as the plugin has not said that it has stopped: when it was told of the loss. */
  const usedBy = new Map<string, number | null>();
  /** The same: when it last said that it uses it. */
  const usedT = new Map<string, number>();
  for (const entry of entries) {
    const { t, process } = entry;
    if (entry.event === 'state')
      for (const lease of entry.leases) {
        const id = `${process} ${lease}`;
        if (isUse.has(entry.state)) {
          usedBy.set(id, null);
          usedT.set(id, t);
        } else if (entry.state === 'lost' && usedBy.get(id) === null) usedBy.set(id, t);
      }
    if (entry.event === 'stopped') for (const lease of entry.leases) usedBy.delete(`${process} ${lease}`);
    if (entry.event !== 'released') continue;
    for (const lease of entry.leases) {
      const id = `${process} ${lease}`;
      const lostT = usedBy.get(id);
      usedBy.delete(id);
      if (lostT === undefined || isLent(lease, entry, usedT.get(id)!)) continue;
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

/**
 * Whether the plugin goes on with a borrow of its device instead: then the lease may go. Either that borrow is open, or it came while the lease was used, and the
 * plugin has not said since its return that it uses the lease.
 */
function goesOn({
  leases,
  earlier = [],
  givenBack,
}: Evidence): (lease: string, at: EntryOf<'released'>, usedT: number) => boolean {
  const firstT = new Map<string, number>();
  const claimsOf = new Map<string, LeaseClaims>();
  const borrows = new Map<string, Set<string>>();
  // A borrow of the lost server is as good as ever at a restored one.
  for (const { token, answer } of [...earlier, ...leases]) {
    const { jti, seat, dev, kind, exp } = token.claims;
    firstT.set(jti, Math.min(firstT.get(jti) ?? Number.POSITIVE_INFINITY, answer.t));
    // One that was extended ends when the last word says.
    if (exp >= (claimsOf.get(jti)?.exp ?? 0)) claimsOf.set(jti, token.claims);
    const place = `${seat} ${dev}`;
    if (kind === 'borrow') borrows.set(place, (borrows.get(place) ?? new Set()).add(jti));
  }
  return (lease, { t, wallMs }, usedT) => {
    const own = claimsOf.get(lease);
    if (own === undefined) return false;
    return [...(borrows.get(`${own.seat} ${own.dev}`) ?? [])].some((borrow) => {
      const lentT = firstT.get(borrow)!;
      const returnedT = givenBack.get(borrow) ?? Number.POSITIVE_INFINITY;
      const isOpen = t < returnedT && wallMs < claimsOf.get(borrow)!.exp * 1000;
      const isConverted = firstT.get(lease)! < lentT && usedT < returnedT;
      return lentT <= t && (isOpen || isConverted);
    });
  };
}
