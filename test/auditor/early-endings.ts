import { type JournaledLease, journaledLeases } from './durable.js';
import type { Evidence, Finding, LeaseSeen } from './evidence.js';
import { onlineEnd } from './rights.js';

/** A moment on the clock all share, and what the wall clock of whoever was there said. */
interface Seen {
  readonly t: number;
  readonly wallMs: number;
  readonly process: string;
}

/**
 * When a record was there at the latest: as the first client got a token that names it or a later one. `null`: nobody has seen it.
 */
export function durableBy({ leases }: Pick<Evidence, 'leases'>): (seq: number) => Seen | null {
  const seen = leases
    .map(({ token, answer }) => ({
      seq: token.claims.seq,
      wallMs: answer.wallMs,
      t: answer.t,
      process: answer.process,
    }))
    .sort((a, b) => a.seq - b.seq);
  // From the end on: the first that came of all that name this record or a later one.
  for (let at = seen.length - 2; at >= 0; at--)
    if (seen[at + 1]!.t < seen[at]!.t) seen[at] = { ...seen[at + 1]!, seq: seen[at]!.seq };
  return (seq) => seen[firstFrom(seen, seq)] ?? null;
}

/** The place of the first that names the record or a later one. */
function firstFrom(seen: readonly { seq: number }[], seq: number): number {
  let [low, high] = [0, seen.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (seen[middle]!.seq < seq) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** I2: the window of a lease that ran out was over when the journal ended it, even if nobody was waiting for its seat. */
export function endedEarly(evidence: Evidence): Finding[] {
  const { journal } = evidence;
  if (journal === undefined) return [];
  const journaled = journaledLeases(journal.records);
  const seenBy = durableBy(evidence);
  return lastRights(evidence).flatMap(({ lease, heldUntil }): Finding[] => {
    const ended = journaled.get(lease);
    if (ended === undefined || !ranOut(ended) || evidence.givenBack.has(lease)) return [];
    const seen = seenBy(ended.endedSeq);
    if (seen === null || seen.t >= heldUntil) return [];
    const earlyMs = Math.round(heldUntil - seen.t);
    return [
      {
        rule: 'I2',
        text: `lease ${lease} was ended by record ${ended.endedSeq}, ${earlyMs} ms before its window was over`,
      },
    ];
  });
}

function ranOut({ claims, endedBy }: JournaledLease): boolean {
  return claims.kind === 'online' && endedBy === 'expired';
}

/** Of each online lease, the end of the window by the last token that its client got. */
function lastRights(evidence: Evidence): { lease: string; heldUntil: number }[] {
  const last = new Map<string, number>();
  for (const seen of evidence.leases) {
    const { jti, kind } = seen.token.claims;
    if (kind === 'online') last.set(jti, Math.max(last.get(jti) ?? 0, windowEnd(seen, evidence)));
  }
  return [...last].map(([lease, heldUntil]) => ({ lease, heldUntil }));
}

function windowEnd(seen: LeaseSeen, { clocksDrift }: Evidence): number {
  return onlineEnd(seen, seen.sentAt ?? seen.answer.t, 'server', clocksDrift === true);
}
