import type { Evidence, Finding, LeaseSeen } from './evidence.js';
import { eventsOf } from './history.js';
import type { JournalEntry } from './journal-entry.js';
import type { LeaseClaims } from './token.js';

/** A lease as the journal tells its story. */
export interface JournaledLease {
  readonly claims: LeaseClaims;
  readonly device: string;
  /** The record that granted it. */
  readonly seq: number;
  endedBy: string | null;
  /** The record that ended it; 0 while it lasts. */
  endedSeq: number;
  revoked: boolean;
}

/** I6: what a client was told is in the journal. I10: the positions that tokens carry are those of its chain. */
export function notDurable(evidence: Evidence): Finding[] {
  const { journal } = evidence;
  if (journal === undefined) return [];
  if (journal.fault !== null) return [{ rule: 'JOURNAL', text: journal.fault }];
  const leases = journaledLeases(journal.records);
  return [
    ...evidence.leases.flatMap((seen) => grantMissing(seen, leases)),
    ...evidence.leases.flatMap((seen) => witnessWrong(seen, journal.records)),
    ...endingMissing(evidence, leases),
  ];
}

export function journaledLeases(records: readonly JournalEntry[]): Map<string, JournaledLease> {
  const leases = new Map<string, JournaledLease>();
  for (const { seq, changes } of records) {
    for (const change of changes) {
      if (change.type === 'lease.granted') {
        const { claims, device } = change.lease as { claims: LeaseClaims; device: string };
        leases.set(claims.jti, { claims, device, seq, endedBy: null, endedSeq: 0, revoked: false });
      }
      const lease = typeof change.id === 'string' ? leases.get(change.id) : undefined;
      if (lease === undefined) continue;
      if (change.type === 'lease.ended') {
        lease.endedBy = String(change.reason);
        lease.endedSeq = seq;
      }
      if (change.type === 'lease.revoked') lease.revoked = true;
    }
  }
  return leases;
}

/** What a renewal may say anew; everything else a lease keeps for life. */
const renewable = new Set(['ent', 'nonce', 'iat', 'exp', 'epoch', 'seq', 'head']);

function grantMissing({ token }: LeaseSeen, leases: ReadonlyMap<string, JournaledLease>): Finding[] {
  const { claims } = token;
  const granted = leases.get(claims.jti)?.claims;
  if (granted === undefined)
    return [{ rule: 'I6', text: `a client has lease ${claims.jti}, the journal never granted it` }];
  const isRenewal = granted.nonce !== claims.nonce;
  const differing = Object.keys(claims).filter(
    (name) =>
      !(isRenewal && renewable.has(name)) &&
      claims[name as keyof LeaseClaims] !== granted[name as keyof LeaseClaims],
  );
  return differing.map((name) => ({
    rule: 'I6',
    text: `lease ${claims.jti} was granted with another "${name}" than its token says`,
  }));
}

function witnessWrong({ token }: LeaseSeen, records: readonly JournalEntry[]): Finding[] {
  const { jti, seq, head } = token.claims;
  const record = records[seq - 1];
  if (record?.seq !== seq)
    return [{ rule: 'I6', text: `lease ${jti} names record ${seq}, which is not in the journal` }];
  const hash = Buffer.from(head, 'base64url').toString('hex');
  return hash === record.hash
    ? []
    : [{ rule: 'JOURNAL', text: `lease ${jti} names another record ${seq} than the journal has` }];
}

function endingMissing(evidence: Evidence, leases: ReadonlyMap<string, JournaledLease>): Finding[] {
  const late = lateReturns(evidence);
  return eventsOf(evidence.entries, 'confirmed')
    .flatMap((entry) => entry.leases)
    .filter((id) => leases.has(id) && leases.get(id)!.endedBy === null && !late.has(id))
    .map((id) => ({
      rule: 'I6',
      text: `the release of lease ${id} was confirmed, the journal does not have it`,
    }));
}

/** Borrows of entitlements that take a seat back only when the borrow would have ended. */
function lateReturns({ leases, earlier = [], entitlements }: Evidence): Set<string> {
  const late = new Set<string>();
  for (const { token } of [...earlier, ...leases]) {
    const atExpiry = entitlements
      .get(token.claims.ent)
      ?.some(({ claims }) => 'earlyReturn' in claims && claims.earlyReturn === 'at-expiry');
    if (token.claims.kind === 'borrow' && atExpiry) late.add(token.claims.jti);
  }
  return late;
}
