import { type Evidence, type LeaseSeen, monotonic } from './evidence.js';

/** A span in which a client could rightly use seats, on the strength of one token. */
export interface Right {
  readonly lease: string;
  readonly seat: string;
  readonly n: number;
  readonly product: string;
  readonly kind: 'online' | 'borrow';
  readonly process: string;
  /** When the token was received: earlier its client could not use it. */
  readonly opensAt: number;
  readonly closesAt: number;
  /** When the request was first sent: the server granted it no earlier. */
  readonly sentAt: number;
  /** The record that the token names: how far the server was as it signed. */
  readonly seq: number;
}

/** The client's own end (I2, I3), or the earliest moment at which the server may have given the seat to somebody else. */
export type Until = 'client' | 'server';

// DESIGN I2 and I3, written down here a second time.
export const RHO = 1e-3;
const STOP_MS = 10_000;
const SIGMA_MS = 15 * 60_000;
/** PROTOCOL 4.9: the age of a request in a file. */
export const FILE_AGE_MS = 7 * 86_400_000;
export const onlineWindowMs = (ms: number): number => Math.ceil((ms * 1001) / 999) + STOP_MS;
const borrowHoldMs = (ms: number): number => SIGMA_MS + Math.ceil((2 * ms) / 1000);

/** The rights of all leases. One that was given back never opens again, whatever arrives later. */
export function rightsOf(evidence: Evidence, until: Until): Right[] {
  const rights: Right[] = [];
  for (const seen of evidence.leases) {
    const { jti: lease, seat, n, product, kind, seq } = seen.token.claims;
    const opensAt = seen.answer.t;
    const sentAt = seen.sentAt ?? opensAt;
    const ends =
      kind === 'online'
        ? onlineEnd(seen, sentAt, until, evidence.clocksDrift === true)
        : // By which clock the server counts the hold of a borrow is not known where clocks differ.
          borrowEnd(seen, evidence.clocksDrift === true ? 'client' : until);
    const closesAt = Math.min(ends, evidence.givenBack.get(lease) ?? Infinity);
    if (closesAt <= opensAt) continue;
    const { process } = seen.answer;
    rights.push({ lease, seat, n, product, kind, process, opensAt, closesAt, sentAt, seq });
  }
  return rights;
}

/** A clock that is slow makes the client's time longer, one that is fast the server's window shorter. */
export function onlineEnd({ token }: LeaseSeen, sentAt: number, until: Until, clocksDrift: boolean): number {
  const durationMs = token.claims.dur * 1000;
  if (until === 'client') return sentAt + (clocksDrift ? durationMs * (1 + RHO) : durationMs);
  return sentAt + onlineWindowMs(durationMs) * (clocksDrift ? 1 - RHO : 1);
}

function borrowEnd({ token, answer }: LeaseSeen, until: Until): number {
  const { exp, dur } = token.claims;
  const endsAt = monotonic(exp * 1000, answer);
  return until === 'client' ? endsAt : endsAt + borrowHoldMs(dur * 1000);
}
