import type { Change } from '../changes.js';
import { type Command, type Context, type Decision, deny, type Outcomes } from '../commands.js';
import { isLive } from '../derive.js';
import { borrowedSeats, borrowsEndMs, keptSeats } from '../pending.js';
import type { Entitlement, Now, Seat, State } from '../state.js';
import { dropAllocations, withdraw } from './allocation.js';
import { type Pick, relocate, Taken } from './choose.js';
import { borrowedBy, pendingInstead } from './denial.js';
import { afterFreeing, endLingers } from './linger.js';

/**
 * Removes an entitlement: refused while a seat of it is borrowed (I8) or allocated; its live leases are revoked. Left pending, it
 * waits for the borrows alone: allocations must be gone, or be pending themselves.
 */
export function removeEntitlement(
  state: State,
  command: Command<'removeEntitlement'>,
  context: Context,
): Decision<'removeEntitlement'> {
  const { id, when = 'now', by } = command;
  const entitlement = state.tables.entitlement.get(id);
  if (entitlement === undefined || entitlement.state === 'removed')
    return deny('ENTITLEMENT_UNKNOWN', undefined, { id });
  if (entitlement.state === 'replaced')
    return deny('ENTITLEMENT_SUPERSEDED', 'It was replaced by another one.', { id });
  if (when === 'cancel') return keepEntitlement(id, entitlement);
  const borrowed = borrowedSeats(state, state.derived.seatsByEntitlement.get(id));
  const kept = keptSeats(state, state.derived.allocationsByEntitlement.get(id));
  if (borrowed.length > 0 && when === 'now') {
    const refused = borrowedBy(state, ...lastBorrower(state, borrowed, context));
    // With allocations it would be refused for these.
    return kept > 0 ? refused : pendingInstead(refused);
  }
  if (kept > 0) return deny('ALLOCATED', undefined, { allocated: kept });
  if (borrowed.length === 0) {
    const changes = entitlementGone(state, id, by.email, context.now);
    const count = (type: Change['type']): number => changes.filter((each) => each.type === type).length;
    const moved = changes.filter((each) => each.type === 'seat.charged' && each.entitlement !== id).length;
    return { ok: true, changes, outcome: { id, leasesRevoked: count('lease.revoked'), moved } };
  }
  const removing = entitlement.removing ?? { by: by.email, sinceMs: context.now.wallMs };
  const changes: Change[] =
    entitlement.removing === undefined ? [{ type: 'entitlement.removing', id, removing }] : [];
  const pending = { ...removing, untilMs: borrowsEndMs(state, borrowed, context.now) };
  return { ok: true, changes, outcome: { id, pending } };
}

/** The entitlement stays after all. */
function keepEntitlement(
  id: string,
  entitlement: Entitlement,
): { ok: true; changes: Change[]; outcome: Outcomes['removeEntitlement'] } {
  const cancelled = isLive(entitlement) && entitlement.removing !== undefined;
  const changes: Change[] = cancelled ? [{ type: 'entitlement.removing', id, removing: null }] : [];
  return { ok: true, changes, outcome: { id, cancelled } };
}

/**
 * Everything that ends with an entitlement: its seats are revoked.
 * @param now given: seats in use go to other entitlements of the product while these have room. Not where several end at once.
 */
export function entitlementGone(state: State, id: string, by: string, now?: Now): Change[] {
  const changes: Change[] = [];
  const taken = new Taken();
  const moved = new Set<string>();
  for (const seatId of state.derived.seatsByEntitlement.get(id)) {
    const seat = state.tables.seat.get(seatId)!;
    const pick = now === undefined ? null : newHome(state, seat, id, taken, now);
    if (pick === null) changes.push(...withdraw(state, seat, by, 'The entitlement was removed.'));
    else {
      moved.add(seatId);
      const entitlement = pick.entitlement.claims.jti;
      changes.push({ type: 'seat.charged', id: seatId, entitlement, allocation: pick.allocation });
    }
  }
  const dropped = dropAllocations(state, id).filter(
    (change) => change.type !== 'seat.charged' || !moved.has(change.id),
  );
  changes.push(...dropped, { type: 'entitlement.state', id, state: 'removed' });
  const { product } = state.tables.entitlement.get(id)!.claims;
  return afterFreeing(endLingers(state, product, 'pool changed'), changes);
}

/** Its plugin gets the new entitlement with its next renewal (DESIGN 4). What is held or borrowed is bound to its token. */
function newHome(state: State, seat: Seat, id: string, taken: Taken, now: Now): Pick | null {
  if (state.derived.statusBySeat.get(seat.id) !== 'inUse') return null;
  const seconds = Math.max(
    ...[...state.derived.leasesBySeat.get(seat.id)].map((each) => state.tables.lease.get(each)!.claims.dur),
  );
  const { product, email, count: seats } = seat;
  return relocate(state, { kind: 'online', seconds, now, product, email, seats }, id, taken);
}

/** Whoever has borrowed one of the seats the longest. */
function lastBorrower(state: State, seats: readonly Seat[], { now }: Context): [string, number] {
  const all = seats.map((seat): [string, number] => [seat.email, borrowsEndMs(state, [seat], now)]);
  return all.reduce((last, one) => (one[1] > last[1] ? one : last));
}
