import type { Evidence, Finding } from './evidence.js';
import { eventsOf } from './history.js';
import type { JournalEntry } from './journal-entry.js';
import { isSignedBy as isEd25519, readToken } from './token.js';

/** What is decided while a record is synced may name the one before it. */
const DECIDED_AHEAD = 2;

/** I10: a signed checkpoint names the record that was durable when it was made, and what is handed out of the journal is the journal, whole. */
export function checkpointsWrong(evidence: Evidence): Finding[] {
  const { journal, entries } = evidence;
  if (journal === undefined || journal.fault !== null) return [];
  const findings: Finding[] = [];
  const known = new Set<string>();
  for (const { seq, changes } of journal.records)
    for (const { type, token } of changes) {
      if (type !== 'journal.checkpoint') continue;
      known.add(String(token));
      const fault = wrongCheckpoint(String(token), seq, evidence, journal.records);
      if (fault !== null) findings.push({ rule: 'I10', text: `the checkpoint in record ${seq} ${fault}` });
    }
  for (const { method, key, text } of eventsOf(entries, 'result')) {
    if (method !== 'audit.checkpoint') continue;
    const { checkpoint } = JSON.parse(text) as { checkpoint: string };
    if (!known.has(checkpoint))
      findings.push({ rule: 'I10', text: `the checkpoint of request ${key} is not in the journal` });
  }
  return [...findings, ...eventsOf(entries, 'exported').flatMap((each) => torn(each, journal.records))];
}

function wrongCheckpoint(
  text: string,
  at: number,
  { serverKey, isSignedBy = isEd25519, entries }: Evidence,
  records: readonly JournalEntry[],
): string | null {
  const token = readToken('checkpoint', text);
  if (typeof token === 'string') return token;
  if (!isSignedBy(token, serverKey)) return 'is not signed by the server';
  const { seq, head } = token.claims;
  const isWanted = (): boolean => eventsOf(entries, 'request').some(({ until }) => until === seq);
  if (seq >= at || (seq < at - DECIDED_AHEAD && !isWanted())) return `counts ${seq} records`;
  // Before the first there is none.
  if (seq === 0) return null;
  const hash = Buffer.from(head, 'base64url').toString('hex');
  return records[seq - 1]?.hash === hash ? null : `names another record ${seq} than the journal has`;
}

function torn(
  {
    process,
    from,
    records: given,
  }: { process: string; from: number; records: readonly { seq: number; hash: string }[] },
  records: readonly JournalEntry[],
): Finding[] {
  const wrong = (text: string): Finding[] => [{ rule: 'I10', text: `what ${process} exported ${text}` }];
  const first = given[0]?.seq ?? from;
  if (first < from || (first > from && first - 1 > lastPruned(records)))
    return wrong(`has record ${first} where ${from} belongs`);
  for (const [at, { seq, hash }] of given.entries()) {
    if (seq !== first + at) return wrong(`has record ${seq} where ${first + at} belongs`);
    if (records[seq - 1]?.hash !== hash) return wrong(`has another record ${seq} than the journal`);
  }
  return [];
}

/** Up to there an export may begin late: these may be gone. 0: nothing was pruned. */
function lastPruned(records: readonly JournalEntry[]): number {
  const ends = records.flatMap(({ changes }) =>
    changes
      .filter(({ type }) => type === 'journal.pruned')
      .map(({ pruned }) => (pruned as { readonly seq: number }).seq),
  );
  return Math.max(0, ...ends);
}
