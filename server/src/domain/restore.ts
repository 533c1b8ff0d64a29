import { borrowFreeAtMs, type EntitlementClaims, OFFLINE_REQUEST_AGE_MS } from '@berth/protocol';
import type { State } from './state.js';

/**
 * This server was made of a backup, or somebody put an older data folder in its place (I9): what it granted after that moment it does not
 * know. Kept for good: it says which tokens may still come from there.
 */
export interface Restore {
  readonly cause: 'restored' | 'rolledBack';
  /** When, by the wall clock: of `berthd restore`, or when a client's proof was seen. */
  readonly atMs: number;
  /** The last record of the epoch before that is here. */
  readonly known: { readonly epoch: string; readonly seq: number };
  /** When the backup was made. */
  readonly backupAtMs?: number;
  /** Which device showed it. */
  readonly device?: string;
  /** Since a server runs on it. Until then nothing is granted, however long that takes. */
  readonly begun?: {
    readonly atMs: number;
    /** How long online leases of before can last from then, ms on the monotonic clock. */
    readonly windowMs: number;
  };
  /** That time is over. */
  readonly windowOver?: true;
  /**
   * Entitlements of which a client showed a lease that could not be granted by what is here: a revision, or all of it, was imported after the
   * backup. Nothing of the product is granted until it is imported again, since nobody can tell what else was lent of it.
   */
  readonly missing?: { readonly [entitlement: string]: string };
  /** Somebody answers for it that nothing is out any more. */
  readonly accepted?: { readonly by: string; readonly atMs: number; readonly reason: string };
}

/** Seats of one entitlement that may be borrowed by somebody nobody here knows of (I9). Its id is the entitlement's. */
export interface Reserve {
  readonly entitlement: string;
  readonly product: string;
  readonly seats: number;
  /** The longest borrow has ended by then, hold included. */
  readonly untilMs: number;
}

export function restoreOf(state: State): Restore | undefined {
  return state.tables.organisation.get('self')?.restore;
}

/** True while nothing at all is granted, since online leases that nobody here knows of may be in use. */
export function isHolding(state: State): boolean {
  const restore = restoreOf(state);
  return restore !== undefined && restore.windowOver !== true;
}

/** True while nothing of a product is granted, as what was imported after the backup is not here. */
export function isIncomplete(state: State, product: string): boolean {
  const missing = restoreOf(state)?.missing;
  return missing !== undefined && Object.values(missing).includes(product);
}

/**
 * Seats of an entitlement that may be out, without those that are in the state. A borrow of before that is known is one of them; or, if nobody
 * has shown it, it was returned, and whoever else may have borrowed the seat is one of them.
 */
export function unknownSeats(state: State, entitlement: string): number {
  const reserved = state.tables.reserve.get(entitlement)?.seats ?? 0;
  if (reserved === 0) return 0;
  return Math.max(0, reserved - state.derived.earlierByEntitlement.get(entitlement));
}

/** The same of a whole product. */
export function unknownSeatsOf(state: State, product: string): number {
  let seats = 0;
  for (const id of state.derived.reservesByProduct.get(product)) seats += unknownSeats(state, id);
  return seats;
}

/** What has to be kept back of an entitlement, or was added to by a later revision; `null`: nobody can have borrowed from it. */
export function reserveFor(claims: EntitlementClaims, begunAtMs: number, before?: Reserve): Reserve | null {
  const { jti: entitlement, product, borrow, exp } = claims;
  if (borrow === undefined) return before === undefined ? null : { ...before, entitlement, product };
  // A request in a file may be a week old when it is granted, and the seat is then held for as much longer (I3).
  const longestMs = borrowFreeAtMs(begunAtMs, begunAtMs + borrow.maxSeconds * 1000) + OFFLINE_REQUEST_AGE_MS;
  return {
    entitlement,
    product,
    seats: Math.max(Math.min(borrow.seats, claims.seats), before?.seats ?? 0),
    untilMs: Math.max(Math.min(longestMs, exp * 1000), before?.untilMs ?? 0),
  };
}
