import type { Evidence, Finding } from './evidence.js';
import type { Export } from './exports.js';
import { eventsOf } from './history.js';
import type { JournalEntry } from './journal-entry.js';
import { isSignedBy as isEd25519, readToken } from './token.js';

/** What `journal.pruned` says. */
interface Pruned {
  readonly seq: number;
  readonly hash: string;
  /** What a rebuild goes on from: the state as of this record. */
  readonly base: { readonly at: number; readonly hash: string };
}

/**
 * I10: records go only into files that prove themselves, only as far as the journal itself says, and it goes on from a state of its own. That no record
 * is missing from both is for journal-reader.ts to see, which puts the two together.
 */
export function prunesWrong(evidence: Evidence): Finding[] {
  const { journal, exports = [] } = evidence;
  const findings = exports.flatMap((each) => wrongExport(each, evidence));
  if (journal === undefined || journal.fault !== null) return findings;
  const { records, pruned: missing = 0 } = journal;
  const said = records.flatMap(({ seq, changes }) =>
    changes
      .filter(({ type }) => type === 'journal.pruned')
      .map((change) => ({ at: seq, pruned: change.pruned as Pruned })),
  );
  const accuse = (text: string): void => void findings.push({ rule: 'I10', text });
  for (const { at, pruned } of said) {
    const fault = wrongPrune(pruned, at, records);
    if (fault !== null) accuse(`the prune in record ${at} ${fault}`);
  }
  if (missing > 0 && !said.some(({ at, pruned }) => at > missing && pruned.seq >= missing))
    accuse(`records up to ${missing} are gone, and what is left does not say so`);
  for (const { method, key, text } of eventsOf(evidence.entries, 'result')) {
    if (method !== 'audit.prune') continue;
    const { pruned } = JSON.parse(text) as { pruned: { until: number; head: string } };
    const hash = Buffer.from(pruned.head, 'base64url').toString('hex');
    if (!said.some((one) => one.pruned.seq === pruned.until && one.pruned.hash === hash))
      accuse(`the prune of request ${key} is not in the journal`);
  }
  return findings;
}

function wrongPrune(
  { seq, hash, base }: Pruned,
  at: number,
  records: readonly JournalEntry[],
): string | null {
  if (seq >= at) return `is of record ${seq}`;
  if (records[seq - 1]?.hash !== hash) return `names another record ${seq} than the journal has`;
  if (base.at < seq || base.at >= at) return `goes on from record ${base.at}, and removes those up to ${seq}`;
  return records[base.at - 1]?.hash === base.hash ? null : `goes on from another record ${base.at}`;
}

function wrongExport(
  { name, records, checkpoint, fault }: Export,
  { serverKey, isSignedBy = isEd25519 }: Evidence,
): Finding[] {
  const wrong = (text: string): Finding[] => [{ rule: 'I10', text: `${name}, which was proved, ${text}` }];
  if (fault !== null) return wrong(`is not whole: ${fault}`);
  const token = readToken('checkpoint', checkpoint);
  if (typeof token === 'string') return wrong(`ends with what ${token}`);
  if (!isSignedBy(token, serverKey)) return wrong('is not signed by the server');
  const { seq, head } = token.claims;
  const last = records.at(-1);
  const isLast = last?.seq === seq && last.hash === Buffer.from(head, 'base64url').toString('hex');
  return isLast ? [] : wrong(`is signed for another end than it has (${seq})`);
}
