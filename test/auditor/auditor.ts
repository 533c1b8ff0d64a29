import { notTrusted } from './accepted-clocks.js';
import { unacknowledged } from './acknowledged.js';
import { notAsAsked } from './asked.js';
import { borrowsTaken } from './borrow-kept.js';
import { bulkWrong } from './bulk.js';
import { brokenChains } from './chain.js';
import { checkpointsWrong } from './checkpoints.js';
import { heldTooLong, lentToWrongClocks } from './client-states.js';
import { creditsMisspent } from './credits.js';
import { notDurable } from './durable.js';
import { endedEarly } from './early-endings.js';
import { type Case, type Evidence, type Finding, gather } from './evidence.js';
import { notOnce } from './exactly-once.js';
import { releasesWrong } from './forced-releases.js';
import { givenBackByOthers } from './foreign-releases.js';
import { eventsOf } from './history.js';
import { takenThoughUsed } from './idle.js';
import { forgottenTooSoon } from './kept-keys.js';
import { notRenewed } from './kept-seats.js';
import { overtaken } from './line.js';
import { lingersWrong } from './lingers.js';
import { mailsWrong } from './mails.js';
import { movesTorn } from './moves.js';
import { otherThanAsked } from './office-asked.js';
import { overIssued } from './over-issue.js';
import { pendingForgotten } from './pending-kept.js';
import { prunesWrong } from './prunes.js';
import { toldTooEarly } from './pushes.js';
import { invalidHistory } from './replay.js';
import { heldTooShort, sinceRestore } from './restored.js';
import { outlived } from './revisions.js';
import { beyondRole } from './roles.js';
import { wrongStatuses } from './statuses.js';
import { givenBackInUse } from './stop-times.js';

export type { Case, Finding } from './evidence.js';
export { readHistory } from './history.js';
export { readJournal } from './journal-reader.js';

export interface Verdict {
  /** Empty: nothing is wrong. */
  readonly findings: readonly Finding[];
  /** How much was judged: a verdict on nothing is worth nothing. */
  readonly judged: {
    readonly tokens: number;
    readonly seats: number;
    readonly borrows: number;
    readonly denials: number;
    readonly statuses: number;
    readonly retries: number;
    readonly records: number;
  };
}

/** Judges what clients saw, and the journal of the reopened folder, by the invariants of DESIGN 3. */
export function audit(input: Case): Verdict {
  const evidence = gather(input);
  const since = sinceRestore(evidence);
  const findings = [
    ...brokenChains(evidence),
    ...overIssued(evidence),
    ...journalFaults(since),
    ...notDurable(since),
    ...notOnce(since),
    ...creditsMisspent(since),
    ...borrowsTaken(since),
    ...wrongStatuses(since),
    ...(input.isThorough === true ? [...heldTooLong(evidence), ...thoroughly(since)] : []),
  ];
  const keys = eventsOf(input.entries, 'request').flatMap(({ key }) => (key === undefined ? [] : [key]));
  const { leases } = evidence;
  return {
    findings,
    judged: {
      tokens: leases.length,
      seats: new Set(leases.map(({ token }) => token.claims.seat)).size,
      borrows: new Set(
        leases.filter((seen) => seen.token.claims.kind === 'borrow').map((seen) => seen.token.claims.jti),
      ).size,
      denials: eventsOf(input.entries, 'denied').length,
      statuses: eventsOf(input.entries, 'status').length,
      retries: keys.length - new Set(keys).size,
      records: input.journal?.records.length ?? 0,
    },
  };
}

/** The quick part, for after each kill: is everything that was acknowledged in the journal? No signature is looked at. */
export function auditDurability(input: Case): Finding[] {
  const evidence = gather(input);
  return [
    ...journalFaults(evidence),
    ...notDurable(evidence),
    ...notOnce(evidence),
    ...creditsMisspent(evidence),
  ];
}

/** Everybody's journal keeps I1; the other rules of a valid history are for whoever asks to be judged thoroughly. */
function journalFaults(evidence: Evidence): Finding[] {
  const findings = invalidHistory(evidence);
  return evidence.isThorough === true ? findings : findings.filter(({ rule }) => rule === 'I1');
}

function thoroughly(evidence: Evidence): Finding[] {
  return [
    ...endedEarly(evidence),
    ...lentToWrongClocks(evidence),
    ...givenBackByOthers(evidence),
    ...givenBackInUse(evidence),
    ...takenThoughUsed(evidence),
    ...outlived(evidence),
    ...bulkWrong(evidence),
    ...mailsWrong(evidence),
    ...checkpointsWrong(evidence),
    ...prunesWrong(evidence),
    ...movesTorn(evidence),
    ...pendingForgotten(evidence),
    ...beyondRole(evidence),
    ...otherThanAsked(evidence),
    ...releasesWrong(evidence),
    ...lingersWrong(evidence),
    ...toldTooEarly(evidence),
    ...heldTooShort(evidence),
    ...forgottenTooSoon(evidence),
    ...unacknowledged(evidence),
    ...notAsAsked(evidence),
    ...overtaken(evidence),
    ...notRenewed(evidence),
    ...notTrusted(evidence),
  ];
}
