import { type Evidence, type Finding, monotonic } from './evidence.js';
import { eventsOf } from './history.js';

// DESIGN I2, written down here a second time: the client's own clocks may be slow by so much.
const RHO = 1e-3;
/** What a plugin that looks at the very last moment may be late by, ms. */
const LATE_MS = 50;

/**
 * I2 and I3 from the plugin's side: a seat says `held` or `grace` only while a token that its client has gives it the right: D from before the
 * request was first sent, or to the end of a borrow by the wall clock, and not after it was given back by anybody.
 */
export function heldTooLong(evidence: Evidence): Finding[] {
  const findings: Finding[] = [];
  const rights = rightsByLease(evidence);
  for (const { t, process, state, leases } of eventsOf(evidence.entries, 'state')) {
    if (state !== 'held' && state !== 'grace') continue;
    for (const lease of leases) {
      const until = Math.max(
        0,
        ...(rights.get(lease) ?? []).flatMap((right) => (right.fromT <= t ? [right.untilT] : [])),
      );
      if (t <= until + LATE_MS) continue;
      const overMs = Math.round(t - until);
      const text = `${process} says it is ${state} by lease ${lease}, which ended ${overMs} ms ago`;
      const isBorrow = rights.get(lease)?.[0]?.kind === 'borrow';
      findings.push(isBorrow ? { rule: 'I3', text, borrowers: [process] } : { rule: 'I2', text });
    }
  }
  return findings;
}

interface Span {
  readonly kind: 'online' | 'borrow';
  readonly fromT: number;
  readonly untilT: number;
}

function rightsByLease({ leases, givenBack, clocksDrift }: Evidence): Map<string, Span[]> {
  const rights = new Map<string, Span[]>();
  for (const { token, answer, sentAt } of leases) {
    const { jti, kind, dur, exp } = token.claims;
    const longestMs = dur * 1000 * (clocksDrift === true ? 1 + RHO : 1);
    const ends =
      kind === 'online' ? (sentAt ?? answer.t) + longestMs : monotonic(exp * 1000, answer) + dur * 2;
    const untilT = Math.min(ends, givenBack.get(jti) ?? Number.POSITIVE_INFINITY);
    rights.set(jti, [...(rights.get(jti) ?? []), { kind, fromT: answer.t, untilT }]);
  }
  return rights;
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
