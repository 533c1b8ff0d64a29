import type { Evidence, Finding } from './evidence.js';
import { type EntryOf, eventsOf } from './history.js';
import type { Change } from './journal-entry.js';

/** The record that kept the answer to a request, and what else is in it. */
interface Kept {
  readonly seq: number;
  readonly types: ReadonlySet<string>;
}

/** What an answer of this method says has happened: at least one of these is in the record that kept it. */
const effects: Readonly<Record<string, readonly string[]>> = {
  'user.invite': ['invitation.made'],
  'user.remove': ['user.removed', 'user.put'],
  'allocation.assign': ['allocation.set'],
  'allocation.move': ['allocation.set'],
  'allocation.revoke': ['allocation.set'],
  'entitlement.import': ['entitlement.put'],
  'entitlement.remove': ['entitlement.state', 'entitlement.removing'],
  'endorsement.import': ['endorsement.put'],
  'pool.set': ['product.put'],
  'sharing.set': ['product.put', 'seat.freed', 'lease.revoked'],
  'lease.revoke': ['lease.revoked', 'lease.warned', 'seat.freed'],
  'lease.keep': ['lease.kept'],
  'lease.message': ['lease.messaged'],
  'lease.release': ['lease.ended'],
  'lease.checkout': ['lease.granted'],
  'borrow.take': ['lease.granted'],
  'borrow.return': ['lease.ended'],
  'borrow.accept': ['lease.ended'],
  'bulk.apply': ['job.made'],
  'audit.checkpoint': ['journal.checkpoint'],
  'audit.prune': ['journal.pruned'],
  'mail.retry': ['mail.retried'],
  'credit.consume': ['credit.spent'],
  'credit.request': ['credit.asked'],
  'credit.limit': ['credit.access'],
  'credit.decide': ['credit.answered'],
};

/**
 * These have always changed something when they succeed. `borrow.grant` is none of them: it is kept by the nonce of the file, not by the
 * admin's key (PROTOCOL 4.9), and each of its leases is looked for in durable.ts.
 */
const alwaysChange: ReadonlySet<string> = new Set([
  'user.invite',
  'allocation.assign',
  'allocation.move',
  'audit.checkpoint',
  'lease.checkout',
  'borrow.take',
  'credit.consume',
  'credit.request',
  'credit.decide',
]);

/** I6: every change that was acknowledged is in the journal, whatever it was, and in an order that fits the answers. */
export function unacknowledged(evidence: Evidence): Finding[] {
  const { journal, entries } = evidence;
  if (journal === undefined || journal.fault !== null) return [];
  const kept = keptByKey(journal.records);
  return [
    ...eventsOf(entries, 'result').flatMap((result) => missing(result, kept.get(result.key))),
    ...outOfOrder(evidence, kept),
  ];
}

function keptByKey(records: readonly { seq: number; changes: readonly Change[] }[]): Map<string, Kept> {
  const kept = new Map<string, Kept>();
  for (const { seq, changes } of records) {
    const types = new Set(changes.map(({ type }) => type));
    for (const { type, request } of changes) {
      if (type !== 'request.kept') continue;
      // `<device> <key>`, and no key has a blank.
      const key = (request as { id: string }).id.split(' ').at(-1)!;
      if (!kept.has(key)) kept.set(key, { seq, types });
    }
  }
  return kept;
}

function missing({ method, key, text }: EntryOf<'result'>, kept: Kept | undefined): Finding[] {
  if (kept === undefined) {
    if (!alwaysChange.has(method) && !text.includes('"changed":true')) return [];
    return [{ rule: 'I6', text: `${method} with key ${key} was acknowledged, the journal does not have it` }];
  }
  const due = effects[method];
  if (due === undefined || due.some((type) => kept.types.has(type))) return [];
  return [
    { rule: 'I6', text: `${method} with key ${key} was acknowledged, record ${kept.seq} has nothing of it` },
  ];
}

/** What was first asked after something else had been answered comes later in the journal, or in the same record. */
function outOfOrder({ entries }: Evidence, kept: ReadonlyMap<string, Kept>): Finding[] {
  const findings: Finding[] = [];
  const asked = new Set<string>();
  let answered = { seq: 0, what: '' };
  for (const entry of entries) {
    if (entry.event === 'request' && entry.key !== undefined && !asked.has(entry.key)) {
      asked.add(entry.key);
      const seq = kept.get(entry.key)?.seq;
      if (seq !== undefined && seq < answered.seq)
        findings.push({
          rule: 'I6',
          text: `${entry.method} with key ${entry.key} is record ${seq}, but it was asked after ${answered.what} had been answered from record ${answered.seq}`,
        });
    }
    if (entry.event !== 'result') continue;
    const seq = kept.get(entry.key)?.seq ?? 0;
    if (seq > answered.seq) answered = { seq, what: `${entry.method} with key ${entry.key}` };
  }
  return findings;
}
