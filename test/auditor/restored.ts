import type { Evidence, Finding, LeaseSeen } from './evidence.js';
import { type Entry, eventsOf, type Happening } from './history.js';
import type { JournalEntry } from './journal-entry.js';
import { onlineEnd, onlineWindowMs, RHO } from './rights.js';
import type { LeaseClaims } from './token.js';

/** What was asked and given back holds whatever server heard it; what the server said holds for that one. */
const lasting: ReadonlySet<Happening['event']> = new Set([
  'request',
  'session',
  'imported',
  'removing',
  'removed',
  'kept',
  'endorsed',
  'released',
  'returned',
  'restored',
]);

const saidByServer: ReadonlySet<Happening['event']> = new Set([
  ...(['result', 'answer', 'denied', 'confirmed', 'status', 'report', 'exported', 'pushed'] as const),
]);

/** Since when a process speaks with the restored server: what it reads before that, the lost one had sent, for however long the process stood still. */
function turnsTo(entries: readonly Entry[], restoredAtT: number): (process: string) => number {
  const requests = eventsOf(entries, 'request');
  const connected = new Set(
    requests.filter(({ method }) => method === 'session.open').map(({ process }) => process),
  );
  const turns = new Map<string, number>();
  for (const { process, method, t } of requests)
    if (t >= restoredAtT && !turns.has(process))
      if (method === 'session.open' || !connected.has(process)) turns.set(process, t);
  return (process) => turns.get(process) ?? Number.POSITIVE_INFINITY;
}

/**
 * What can be held against the journal of a restored server (I9): nothing that was acknowledged before it was there. Until then the journal of
 * the server before it was judged by itself.
 */
export function sinceRestore(evidence: Evidence): Evidence {
  const { restoredAtT, entries, leases, mails = [], journal } = evidence;
  if (restoredAtT === undefined) return evidence;
  const epochs = (journal?.records ?? []).flatMap(({ changes }) =>
    changes.flatMap(({ type, epoch }) => (type === 'organisation.restored' ? [epoch] : [])),
  );
  // What the lost one had sent may be read long after: by a process that stood still.
  const isEarlier = ({ answer, token }: LeaseSeen): boolean =>
    answer.t < restoredAtT || (epochs.length > 0 && token.claims.epoch !== epochs.at(-1));
  const turned = turnsTo(entries, restoredAtT);
  const isSince = ({ t, event, process }: Entry): boolean =>
    lasting.has(event) || t >= (saidByServer.has(event) ? turned(process) : restoredAtT);
  return {
    ...evidence,
    entries: entries.filter(isSince),
    leases: leases.filter((seen) => !isEarlier(seen)),
    earlier: leases.filter(isEarlier),
    mails: mails.filter(({ t }) => t >= restoredAtT),
  };
}

/** Leases that the server of their epoch granted, with the record: not those that a device showed to a restored one (I9). */
export function ownGrants(records: readonly JournalEntry[]): { seq: number; claims: LeaseClaims }[] {
  let epoch: string | null = null;
  const grants: { seq: number; claims: LeaseClaims }[] = [];
  for (const { seq, changes } of records)
    for (const { type, lease, organisation, epoch: next } of changes) {
      if (type === 'organisation.founded') epoch = (organisation as { epoch: string }).epoch;
      if (type === 'organisation.restored') epoch = String(next);
      if (type !== 'lease.granted') continue;
      const { claims } = lease as { claims: LeaseClaims };
      if (epoch === null || claims.epoch === epoch) grants.push({ seq, claims });
    }
  return grants;
}

/**
 * I9: nothing is granted for as long as a client of the lost server may use what it has, of whatever D it was; and that long by the clock of everybody, not by
 * what the journal says.
 */
export function heldTooShort({ journal, leases, earlier = [], restoredAtT }: Evidence): Finding[] {
  if (restoredAtT === undefined || journal === undefined || journal.fault !== null) return [];
  const hold = lastHold(journal.records);
  if (hold === null) return [];
  const longest = earlier.reduce((most, seen) => {
    const { kind, dur } = seen.token.claims;
    const isOpen =
      kind === 'online' && onlineEnd(seen, seen.sentAt ?? seen.answer.t, 'client', false) > restoredAtT;
    return isOpen ? Math.max(most, dur) : most;
  }, 0);
  const accuse = (text: string): Finding => ({ rule: 'I9', text });
  const findings: Finding[] = [];
  if (hold.windowMs < onlineWindowMs(longest * 1000))
    findings.push(accuse(`the hold is ${hold.windowMs} ms, somebody has a lease of ${longest} s`));
  const { overSeq, windowMs } = hold;
  const early = leases.find(
    ({ token, answer }) =>
      overSeq !== null &&
      token.claims.seq >= overSeq &&
      answer.t < restoredAtT + Math.max(windowMs, onlineWindowMs(longest * 1000)) * (1 - RHO),
  );
  if (early !== undefined)
    findings.push(
      accuse(
        `the hold of ${windowMs} ms is over ${Math.round(early.answer.t - restoredAtT)} ms after the restore`,
      ),
    );
  return findings;
}

/** The last one that begins, and the record that ends it. */
function lastHold(
  records: readonly JournalEntry[],
): { readonly windowMs: number; readonly overSeq: number | null } | null {
  let hold: { windowMs: number; overSeq: number | null } | null = null;
  for (const { seq, changes } of records)
    for (const { type, windowMs } of changes) {
      if (type === 'restore.begun') hold = { windowMs: Number(windowMs), overSeq: null };
      else if (type === 'restore.windowOver' && hold !== null) hold.overSeq = seq;
    }
  return hold;
}
