import { durableBy } from './early-endings.js';
import type { Evidence, Finding } from './evidence.js';
import type { KeptRow } from './ledger.js';
import { decidedAfter } from './record-times.js';
import { onlineWindowMs, RHO } from './rights.js';
import type { LeaseClaims } from './token.js';

const HOUR_MS = 3_600_000;

interface Kept {
  readonly method: string;
  readonly leases: readonly string[];
  /** Its time counts from there at the earliest, and it is known for so long, ms. */
  fromT: number;
  keptMs: number;
}

/**
 * I7, for how long: the result of a grant is known until the last of its leases has ended and W more, any other for an hour (PROTOCOL 8). The journal says when a
 * server let go of a key; whoever saw that record, or a later one, says that it was no later.
 */
export function forgottenTooSoon(evidence: Evidence): Finding[] {
  const { journal } = evidence;
  if (journal === undefined || journal.fault !== null) return [];
  const findings: Finding[] = [];
  const seenBy = durableBy(evidence);
  const askedBy = decidedAfter(evidence);
  const requests = new Map<string, Kept>();
  const byLease = new Map<string, Kept>();
  const open = new Map<string, LeaseClaims>();
  let nowT = Number.NEGATIVE_INFINITY;
  for (const { seq, changes } of journal.records) {
    nowT = Math.max(nowT, askedBy(changes));
    for (const { type, id: which, request, lease } of changes) {
      const id = String(which);
      if (type === 'lease.granted') {
        const { claims } = lease as { claims: LeaseClaims };
        open.set(claims.jti, claims);
      }
      if (type === 'request.kept') {
        const { id: key, method, leases } = request as KeptRow;
        const kept = { method, leases, fromT: nowT, keptMs: HOUR_MS };
        requests.set(key, kept);
        for (const each of leases) byLease.set(each, kept);
      }
      if (type === 'lease.ended') {
        const { kind, dur } = open.get(id) ?? { kind: 'borrow', dur: 0 };
        open.delete(id);
        const kept = byLease.get(id);
        byLease.delete(id);
        if (kept === undefined) continue;
        kept.fromT = nowT;
        kept.keptMs = kind === 'online' ? onlineWindowMs(dur * 1000) : HOUR_MS;
      }
      if (type !== 'request.dropped') continue;
      const { method, leases, fromT, keptMs } = requests.get(id) ?? {
        method: 'release',
        leases: [],
        fromT: 0,
        keptMs: 0,
      };
      requests.delete(id);
      const accuse = (text: string) =>
        findings.push({ rule: 'I7', text: `record ${seq}: "${id}" (${method}) is forgotten ${text}` });
      if (leases.some((each) => open.has(each))) accuse('while a lease of it lasts');
      // Plugins give back all the time: what they gave back stays given back, whatever is known of it.
      const earlyMs =
        method === 'release'
          ? 0
          : Math.round(fromT + keptMs * (1 - RHO) - (seenBy(seq)?.t ?? Number.POSITIVE_INFINITY));
      if (earlyMs > 0) accuse(`${earlyMs} ms too early`);
    }
  }
  return findings;
}
