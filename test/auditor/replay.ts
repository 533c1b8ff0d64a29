import { actAt } from './acts.js';
import { creditRules } from './credits.js';
import type { Evidence, Finding } from './evidence.js';
import { Excess } from './excess.js';
import { eventsOf } from './history.js';
import type { Change, JournalEntry } from './journal-entry.js';
import { Ledger } from './ledger.js';
import { grantRules, type Judge, type Run } from './replay-grants.js';
import { overrideRules } from './replay-overrides.js';
import { restoreRules, wordsOf } from './replay-restore.js';
import { adminRules, recordRules } from './replay-rules.js';

/**
 * The journal is a valid history: replayed change by change, it names only what there is, gives nothing that is not there to give, and takes
 * nothing that must not be taken. A change that names what does not exist ends the replay: what follows it means nothing.
 */
export function invalidHistory({
  journal,
  leases = [],
  earlier = [],
  entries = [],
}: Pick<Evidence, 'journal'> & Partial<Pick<Evidence, 'leases' | 'earlier' | 'entries'>>): Finding[] {
  const findings: Finding[] = [];
  const given = new Set([...leases, ...earlier].map(({ token }) => wordsOf(token.claims)));
  const ledger = new Ledger(signedTimes(entries), given);
  const excess = new Excess({ leases });
  for (const record of journal?.records ?? []) {
    const { seq, changes } = record;
    const accuse = (rule: Finding['rule'], text: string) =>
      findings.push({ rule, text: `record ${seq}: ${text}` });
    for (const [place, change] of changes.entries()) {
      const missing = missingIn(ledger, change);
      if (missing !== null) {
        accuse('JOURNAL', `${change.type} names ${missing}, which does not exist`);
        return findings;
      }
      judges[change.type]?.(ledger, change, accuse, runAt(record, place));
      excess.before(ledger, change);
      ledger.apply(change);
    }
    for (const rule of recordRules) rule(ledger, changes, accuse);
    excess.after(ledger, seq);
  }
  return [...findings, ...excess.findings()];
}

/** The command that led to a change, and all that it led to. */
function runAt(record: JournalEntry, place: number): Run {
  const act = actAt(record, place);
  return { act, changes: act === undefined ? [] : record.changes.slice(act.first, act.first + act.count) };
}

/** Nonce -> when the machine that asked in a file says that it did. */
function signedTimes(entries: Evidence['entries']): Map<string, number> {
  const times = new Map<string, number>();
  for (const { nonce, signedAtMs } of eventsOf(entries, 'request'))
    if (nonce !== undefined && signedAtMs !== undefined) times.set(nonce, signedAtMs);
  return times;
}

const judges: Readonly<Record<string, Judge>> = {
  ...grantRules,
  ...adminRules,
  ...creditRules,
  ...restoreRules,
  ...overrideRules,
};

/** What a change names that is not there; null when all is. */
function missingIn(ledger: Ledger, change: Change): string | null {
  const table = tables[change.type]?.(ledger);
  const id = String(change.id);
  if (table !== undefined && !table.has(id)) return id;
  if (change.type !== 'lease.granted') return null;
  const { seat } = (change.lease as { claims: { seat: string } }).claims;
  return ledger.seats.has(seat) ? null : seat;
}

const tables: Readonly<Record<string, (ledger: Ledger) => { has(id: string): boolean }>> = {
  'entitlement.state': ({ entitlements }) => entitlements,
  'entitlement.removing': ({ entitlements }) => entitlements,
  'seat.charged': ({ seats }) => seats,
  'seat.grown': ({ seats }) => seats,
  'seat.resumed': ({ seats }) => seats,
  'seat.freed': ({ seats }) => seats,
  'lease.revoked': ({ leases }) => leases,
  'lease.warned': ({ leases }) => leases,
  'lease.kept': ({ leases }) => leases,
  'lease.ended': ({ leases }) => leases,
  'device.removed': ({ devices }) => devices,
};
