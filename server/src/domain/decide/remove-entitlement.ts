import type { Change } from '../changes.js';
import { type Command, type Context, type Decision, deny, type Outcomes } from '../commands.js';
import { isLive } from '../derive.js';
import { borrowedSeats, borrowsEndMs, keptSeats } from '../pending.js';
import type { Entitlement, Seat, State } from '../state.js';
import { dropAllocations, withdraw } from './allocation.js';
import { borrowedBy } from './denial.js';
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
  if (borrowed.length > 0 && when === 'now') return borrowedBy(...lastBorrower(state, borrowed, context));
  const kept = keptSeats(state, state.derived.allocationsByEntitlement.get(id));
  if (kept > 0) return deny('ALLOCATED', undefined, { allocated: kept });
  if (borrowed.length === 0) {
    return { ok: true, changes: entitlementGone(state, id, by.email), outcome: { id } };
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

/** Everything that ends with an entitlement. */
export function entitlementGone(state: State, id: string, by: string): Change[] {
  const changes: Change[] = [...state.derived.seatsByEntitlement.get(id)].flatMap((seat) =>
    withdraw(state, state.tables.seat.get(seat)!, by, 'The entitlement was removed.'),
  );
  changes.push(...dropAllocations(state, id), { type: 'entitlement.state', id, state: 'removed' });
  const { product } = state.tables.entitlement.get(id)!.claims;
  return afterFreeing(endLingers(state, product, 'pool changed'), changes);
}

/** Whoever has borrowed one of the seats the longest. */
function lastBorrower(state: State, seats: readonly Seat[], { now }: Context): [string, number] {
  const all = seats.map((seat): [string, number] => [seat.email, borrowsEndMs(state, [seat], now)]);
  return all.reduce((last, one) => (one[1] > last[1] ? one : last));
}
