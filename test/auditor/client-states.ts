import { type Evidence, type Finding, monotonic } from './evidence.js';
import { type EntryOf, eventsOf } from './history.js';

// DESIGN I2, written down here a second time: the client's own clocks may be slow by so much.
const RHO = 1e-3;
/** What a plugin that looks at the very last moment may be late by, ms. */
const LATE_MS = 50;
/** What a plugin is told in whole milliseconds, rounded twice, may be too long by, ms. */
const ROUNDED_MS = 3;

/**
 * I2 and I3 from the plugin's side: a seat says `held` or `grace` only while a token that its client has gives it the right: D from before the
 * request was first sent, or to the end of a borrow by the wall clock, and not after it was given back by anybody; and it says no later end.
 */
export function heldTooLong(evidence: Evidence): Finding[] {
  const rights = rightsByLease(evidence);
  return eventsOf(evidence.entries, 'state').flatMap((said) => {
    if (said.state !== 'held' && said.state !== 'grace') return [];
    return said.leases.flatMap((lease) => {
      const known = lastBefore(rights.get(lease) ?? [], said.t);
      const late = saysTooLong(said, lease, known) ?? believesTooLong(said, lease, known, evidence);
      return late === null ? [] : [late];
    });
  });
}

/** What the tokens of a lease that a client has had from `fromT` on give it together. */
interface Right {
  readonly kind: 'online' | 'borrow';
  readonly fromT: number;
  readonly endsT: number;
  /** Earlier than its end where it was given back. */
  readonly untilT: number;
}

type Said = EntryOf<'state'>;

function saysTooLong({ t, process, state }: Said, lease: string, known: Right | undefined): Finding | null {
  const until = known?.untilT ?? 0;
  if (t <= until + LATE_MS) return null;
  const text = `${process} says it is ${state} by lease ${lease}, which ended ${Math.round(t - until)} ms ago`;
  return known?.kind === 'borrow' ? { rule: 'I3', text, borrowers: [process] } : { rule: 'I2', text };
}

/** A wrong start of its time is seen at any look, not only by whoever happens to look between the two ends. */
function believesTooLong(
  { t, process, leftMs }: Said,
  lease: string,
  known: Right | undefined,
  evidence: Evidence,
): Finding | null {
  if (leftMs === undefined || known?.kind !== 'online') return null;
  const overMs = t + leftMs * drifted(evidence) - known.endsT;
  if (overMs <= ROUNDED_MS) return null;
  const text = `${process} believes at ${Math.round(t)} ms that lease ${lease} lasts ${Math.round(overMs)} ms longer than it does`;
  return { rule: 'I2', text };
}

/** What a millisecond of a client's clock may be at the most. */
const drifted = ({ clocksDrift }: Pick<Evidence, 'clocksDrift'>): number =>
  clocksDrift === true ? 1 + RHO : 1;

/** Of each lease, by the time at which the client had the token, with all that it had before. */
function rightsByLease(evidence: Evidence): Map<string, Right[]> {
  const rights = new Map<string, Right[]>();
  for (const { token, answer, sentAt } of evidence.leases.toSorted((a, b) => a.answer.t - b.answer.t)) {
    const { jti, kind, dur, exp } = token.claims;
    const endsT =
      kind === 'online'
        ? (sentAt ?? answer.t) + dur * 1000 * drifted(evidence)
        : monotonic(exp * 1000, answer) + dur * 2;
    const untilT = Math.min(endsT, evidence.givenBack.get(jti) ?? Number.POSITIVE_INFINITY);
    const had = rights.get(jti);
    const before = had?.at(-1);
    const right: Right = {
      kind: before?.kind ?? kind,
      fromT: answer.t,
      endsT: Math.max(endsT, before?.endsT ?? 0),
      untilT: Math.max(untilT, before?.untilT ?? 0),
    };
    if (had === undefined) rights.set(jti, [right]);
    else had.push(right);
  }
  return rights;
}

/** By halves: a day of renewals is thousands of tokens, and each of the thousands of looks asks for one. */
function lastBefore(rights: readonly Right[], t: number): Right | undefined {
  let [from, to] = [0, rights.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (rights[middle]!.fromT <= t) from = middle + 1;
    else to = middle;
  }
  return rights[from - 1];
}

/** DESIGN I3: how far a borrower's clock may be off, and what whole seconds and transport add. */
const SKEW_MS = 7.5 * 60_000 + 2_000;

/** Nothing is lent to a computer whose clock, as it asked, was too far from that of the server, as it granted. */
export function lentToWrongClocks({ entries, leases }: Evidence): Finding[] {
  const asked = new Map<string, number>();
  for (const { method, nonce, wallMs } of eventsOf(entries, 'request'))
    if (method === 'borrow.take' && nonce !== undefined && !asked.has(nonce)) asked.set(nonce, wallMs);
  return leases.flatMap(({ token, answer }): Finding[] => {
    const { jti, kind, nonce, iat } = token.claims;
    const wallMs = asked.get(nonce);
    if (kind !== 'borrow' || wallMs === undefined || Math.abs(wallMs - iat * 1000) <= SKEW_MS) return [];
    const offMs = Math.round(wallMs - iat * 1000);
    const { process } = answer;
    const text = `${process} was lent ${jti}, its clock was ${offMs} ms off`;
    return [{ rule: 'I3', text, borrowers: [process] }];
  });
}
