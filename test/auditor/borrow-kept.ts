import { journaledLeases } from './durable.js';
import { durableBy } from './early-endings.js';
import type { Evidence, Finding } from './evidence.js';
import { eventsOf } from './history.js';
import { rightsOf } from './rights.js';
import { isSignedBy as isEd25519, readToken } from './token.js';

/** I8: no borrow was taken away, neither in the journal nor in any status. */
export function borrowsTaken(evidence: Evidence): Finding[] {
  return [...takenInJournal(evidence), ...takenInStatus(evidence)];
}

function takenInJournal(evidence: Evidence): Finding[] {
  const { journal } = evidence;
  if (journal === undefined) return [];
  const stopped = signedStops(evidence);
  const seenBy = durableBy(evidence);
  const atLast = evidence.entries.at(-1);
  const holders = new Map(evidence.leases.map(({ token, answer }) => [token.claims.jti, answer.process]));
  const findings: Finding[] = [];
  for (const [id, borrow] of journaledLeases(journal.records)) {
    const { claims, endedBy, revoked } = borrow;
    if (claims.kind !== 'borrow') continue;
    const accuse = (what: string) => findings.push({ rule: 'I8', text: `borrow ${id} ${what}` });
    if (revoked) accuse('was revoked');
    if (endedBy === 'returned' && !stopped.has(id))
      accuse('was ended as returned, but its device signed no stop');
    const seen = seenBy(borrow.endedSeq) ?? atLast;
    if (endedBy === 'expired' && claims.exp * 1000 > (seen?.wallMs ?? Number.POSITIVE_INFINITY))
      findings.push({
        ...{ rule: 'I8', text: `borrow ${id} was ended as expired before its end` },
        // Or the clock of whoever saw it.
        borrowers: [holders.get(id) ?? 'nobody', seen?.process ?? 'nobody'],
      });
    if (endedBy !== null && !rightEnds.has(endedBy)) accuse(`ended as ${endedBy}`);
  }
  return findings;
}

/** Leases whose device has signed that it no longer uses them. */
export function signedStops({ entries, isSignedBy = isEd25519 }: Evidence): Set<string> {
  const stopped = new Set<string>();
  for (const { leases, stops } of eventsOf(entries, 'returned'))
    if (stops === undefined) for (const lease of leases) stopped.add(lease);
  for (const { stops = [] } of [...eventsOf(entries, 'returned'), ...eventsOf(entries, 'released')]) {
    for (const text of stops) {
      const token = readToken('stop', text);
      if (typeof token !== 'string' && isSignedBy(token, token.claims.dev)) stopped.add(token.claims.jti);
    }
  }
  return stopped;
}

/** How a borrow may end. */
const rightEnds = new Set(['returned', 'expired']);

/** A borrow that was open from the question to the answer is in the answer. */
function takenInStatus(evidence: Evidence): Finding[] {
  const borrows = rightsOf(evidence, 'client').filter(({ kind }) => kind === 'borrow');
  const findings: Finding[] = [];
  for (const { sentAt, t, process, pools } of eventsOf(evidence.entries, 'status')) {
    for (const { product, borrowed } of pools) {
      const open = new Map<string, number>();
      const borrowers: string[] = [];
      for (const { seat, n, opensAt, closesAt, product: of, process: borrower } of borrows) {
        if (of !== product || opensAt > sentAt || t >= closesAt) continue;
        open.set(seat, Math.max(n, open.get(seat) ?? 0));
        borrowers.push(borrower);
      }
      const seats = [...open.values()].reduce((sum, n) => sum + n, 0);
      if (borrowed < seats)
        findings.push({
          rule: 'I8',
          text: `${process} was told of ${borrowed} borrowed seats of ${product} while ${seats} were`,
          borrowers,
        });
    }
  }
  return findings;
}
