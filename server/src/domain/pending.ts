import type { PendingInfo } from '@berth/protocol';
import type { PendingKind } from './derived.js';
import { borrowEndsMs } from './evolve.js';
import { allocationId, type Now, type Pending, type Seat, type State } from './state.js';

// I8: what was asked for while a borrow forbids it waits for that borrow, and keeps everything new away meanwhile.

/** True while seats of this entitlement may not be taken, joined, lent or lent for longer by this user's allocation of it, or by anybody. */
export function isWithdrawn(state: State, entitlement: string, allocation: string | null): boolean {
  if (state.tables.entitlement.get(entitlement)?.removing !== undefined) return true;
  return allocation !== null && state.tables.allocation.get(allocation)?.revoking !== undefined;
}

/** What is pending and waits for nothing any more: to be carried out at once (`settlePending`). */
export function* ripe(state: State): Generator<{ kind: PendingKind; id: string }> {
  for (const kind of kinds) {
    for (const id of state.derived.pending.get(kind)) if (isRipe[kind](state, id)) yield { kind, id };
  }
}

/** Allocations first: a user or an entitlement can go only when nothing of it is allocated any more. */
const kinds: readonly PendingKind[] = ['allocation', 'user', 'entitlement'];

const isRipe: { readonly [K in PendingKind]: (state: State, id: string) => boolean } = {
  allocation: (state, id) => ripeSeats(state, id) > 0,
  user: (state, email) =>
    revocableSeats(state, email) === 0 &&
    borrowedSeats(state, state.derived.seatsByUser.get(email)).length === 0,
  entitlement: (state, id) =>
    state.derived.borrowedByEntitlement.get(id) === 0 && allocatedByAdmin(state, id) === 0,
};

/** Seats of a pending revoke that no borrow keeps any more. */
export function ripeSeats(state: State, allocation: string): number {
  const row = state.tables.allocation.get(allocation)!;
  const spare = row.quantity - state.derived.borrowedByAllocation.get(allocation);
  return Math.max(0, Math.min(row.revoking?.seats ?? 0, spare));
}

/** Seats set aside for the user by an admin; a personal entitlement is the vendor's doing and does not count. */
export function revocableSeats(state: State, email: string): number {
  let seats = 0;
  for (const id of state.derived.allocationsByUser.get(email)) {
    const { entitlement, quantity } = state.tables.allocation.get(id)!;
    if (state.tables.entitlement.get(entitlement)!.claims.holder === undefined) seats += quantity;
  }
  return seats;
}

/** Seats of an entitlement that an admin has set aside for somebody. */
export function allocatedByAdmin(state: State, entitlement: string): number {
  const { claims } = state.tables.entitlement.get(entitlement)!;
  return claims.holder === undefined ? state.derived.allocated.get(entitlement) : 0;
}

/** Seats of `quantity` that are not waiting to be revoked: what still stands in the way of a removal. */
export function keptSeats(state: State, allocations: Iterable<string>): number {
  let seats = 0;
  for (const id of allocations) {
    const { entitlement, quantity, revoking } = state.tables.allocation.get(id)!;
    if (state.tables.entitlement.get(entitlement)!.claims.holder !== undefined) continue;
    seats += quantity - (revoking?.seats ?? 0);
  }
  return seats;
}

/** The borrowed ones among some seats. */
export function borrowedSeats(state: State, ids: Iterable<string>): Seat[] {
  return [...ids]
    .filter((id) => state.derived.statusBySeat.get(id) === 'borrowed')
    .map((id) => state.tables.seat.get(id)!);
}

/** When the last borrow of some seats ends, hold included; now when none is borrowed. */
export function borrowsEndMs(state: State, seats: readonly Seat[], now: Now): number {
  let latest = now.wallMs;
  for (const { id } of seats) {
    for (const leaseId of state.derived.leasesBySeat.get(id)) {
      const lease = state.tables.lease.get(leaseId)!;
      if (lease.claims.kind === 'borrow') latest = Math.max(latest, borrowEndsMs(lease));
    }
  }
  return latest;
}

/** The borrowed seats that a pending revoke of this allocation waits for. */
export function borrowsOnAllocation(state: State, email: string, entitlement: string): Seat[] {
  const id = allocationId(email, entitlement);
  return borrowedSeats(state, state.derived.seatsByUser.get(email)).filter(
    ({ allocation }) => allocation === id,
  );
}

/** A pending revoke or removal as it is shown. @param ids the seats whose borrows it waits for are among these */
export function pendingInfo(
  state: State,
  { by, sinceMs }: Pending,
  ids: Iterable<string>,
  now: Now,
): PendingInfo {
  return { by, sinceMs, untilMs: borrowsEndMs(state, borrowedSeats(state, ids), now) };
}
