import type { EntitlementClaims } from '@berth/protocol';
import { type Context, type Denial, deny } from '../commands.js';
import type { Entitlement, Lease, State } from '../state.js';
import { borrowedBy, leaseFreeAtMs } from './denial.js';

/**
 * Whether an entitlement can take over what hangs on those it follows: its own earlier revision, the one it replaces, or both. Borrows
 * must fit inside it (I8), allocations must fit in number and, for a personal one, be its holder's; a replacement must have
 * room for what is in use, while a smaller revision may leave an excess that only shrinks (I1).
 */
export function inherits(
  state: State,
  claims: EntitlementClaims,
  heirOf: readonly Entitlement[],
  context: Context,
): Denial | null {
  return (
    borrowsFit(state, claims, heirOf, context) ??
    allocationsFit(state, claims, heirOf) ??
    usageFits(state, claims, heirOf)
  );
}

function borrowsFit(
  state: State,
  claims: EntitlementClaims,
  heirOf: readonly Entitlement[],
  context: Context,
): Denial | null {
  let seats = 0;
  let last: { email: string; untilMs: number } | null = null;
  for (const { claims: old } of heirOf) {
    for (const id of state.derived.seatsByEntitlement.get(old.jti)) {
      if (state.derived.statusBySeat.get(id) !== 'borrowed') continue;
      seats += state.tables.seat.get(id)!.count;
      for (const lease of borrowsOf(state, id)) {
        const untilMs = leaseFreeAtMs(state, lease, context.now);
        if (!borrowFits(lease, untilMs, claims, context)) return borrowedBy(state, lease.email, untilMs);
        if (last === null || untilMs > last.untilMs) last = { email: lease.email, untilMs };
      }
    }
  }
  const limit = Math.min(claims.seats, claims.borrow?.seats ?? 0);
  return last !== null && seats > limit ? borrowedBy(state, last.email, last.untilMs) : null;
}

function* borrowsOf(state: State, seatId: string): Generator<Lease> {
  for (const id of state.derived.leasesBySeat.get(seatId)) {
    const lease = state.tables.lease.get(id)!;
    if (lease.claims.kind === 'borrow') yield lease;
  }
}

/** The checks a verifier makes of a borrow (PROTOCOL 5), against the new claims. */
function borrowFits(lease: Lease, untilMs: number, claims: EntitlementClaims, { now }: Context): boolean {
  if (claims.nbf * 1000 > now.wallMs || claims.nbf > lease.claims.iat || untilMs > claims.exp * 1000)
    return false;
  if (claims.holder !== undefined && claims.holder !== lease.email) return false;
  return claims.borrow !== undefined && lease.claims.dur <= claims.borrow.maxSeconds;
}

function allocationsFit(
  state: State,
  claims: EntitlementClaims,
  heirOf: readonly Entitlement[],
): Denial | null {
  let allocated = 0;
  for (const { claims: old } of heirOf)
    if (old.holder === undefined) allocated += state.derived.allocated.get(old.jti);
  const room = claims.holder === undefined ? claims.seats : 0;
  if (allocated <= room) return null;
  const message =
    claims.holder === undefined
      ? `${allocated} seats of it are allocated; this one has ${claims.seats}.`
      : `${allocated} seats of it are allocated; this one is personal.`;
  return deny('ALLOCATED', message, { allocated, seats: claims.seats });
}

function usageFits(state: State, claims: EntitlementClaims, heirOf: readonly Entitlement[]): Denial | null {
  if (heirOf.every(({ claims: old }) => old.jti === claims.jti)) return null;
  // What lingers ends with the import.
  const used = heirOf.reduce((sum, { claims: old }) => sum + inHands(state, old), 0);
  return used > claims.seats ? deny('IN_USE', undefined, { used, seats: claims.seats }) : null;
}

/** Seats of an entitlement that are taken and do not only linger. */
function inHands(state: State, { jti, product }: EntitlementClaims): number {
  let seats = state.derived.usedByEntitlement.get(jti);
  for (const id of state.derived.lingeringByProduct.get(product)) {
    const { entitlement, count } = state.tables.seat.get(id)!;
    if (entitlement === jti) seats -= count;
  }
  return seats;
}
