import type { AllocationInfo } from '@berth/protocol';
import type { Change } from '../changes.js';
import type { Command, Context, Decision, Denial } from '../commands.js';
import { borrowsEndMs, borrowsOnAllocation } from '../pending.js';
import { activeEntitlements } from '../pools.js';
import { type Allocation, allocationId, type Entitlement, type Seat, type State } from '../state.js';
import { allocationInfo } from '../views.js';
import { allAllocated, nothingToAssign, notMeant } from './assign-refusal.js';
import { sharedFree } from './choose.js';
import { userUnknown } from './denial.js';
import { closed } from './grant.js';
import { endLingers, freed } from './linger.js';
import { leaving, revokePending } from './pending.js';
import { shellWord } from './shell-word.js';
import { isMeant } from './which.js';

/** Sets seats of one entitlement aside for one user: the one that ends last unless a day is named. */
export function assign(state: State, command: Command<'assign'>, context: Context): Decision<'assign'> {
  const refused = closed(state, context);
  if (refused !== null) return refused;
  const { email, product, quantity } = command;
  if (!state.tables.user.has(email)) return userUnknown(state, email);
  const gone = leaving(state, email, context.now);
  if (gone !== null) return gone;
  const entitlements = activeEntitlements(state, product, context.now).filter(
    ({ claims, removing }) => claims.holder === undefined && removing === undefined,
  );
  if (entitlements.length === 0) return nothingToAssign(state, product, context.now);
  const dated = entitlements.filter(({ claims }) => isMeant(claims, command));
  if (dated.length === 0) return notMeant(entitlements, command);
  const undecided = revokeUnderway(state, email, dated, context);
  if (undecided !== null) return undecided;
  // Without a day the last one is meant: seats of another would end earlier than whoever assigns them expects.
  const meant = dated.filter(({ claims }) => claims.exp === dated[0]!.claims.exp);
  const entitlement = meant.find(
    ({ claims }) => claims.seats - state.derived.allocated.get(claims.jti) >= quantity,
  );
  if (entitlement === undefined) return allAllocated(state, meant, entitlements, command);
  const { changes, info } = grow(state, entitlement, { email, quantity, sharedTaken: quantity }, context);
  return { ok: true, changes, outcome: { allocation: info } };
}

/**
 * Sets seats of an entitlement aside for a user, beside those they have.
 * @param more.sharedTaken seats that the shared ones lose in the same command
 */
export function grow(
  state: State,
  entitlement: Entitlement,
  more: { readonly email: string; readonly quantity: number; readonly sharedTaken: number },
  { now }: Context,
): { changes: Change[]; info: AllocationInfo } {
  const { email } = more;
  const ent = entitlement.claims.jti;
  const id = allocationId(email, ent);
  const quantity = (state.tables.allocation.get(id)?.quantity ?? 0) + more.quantity;
  const allocation: Allocation = { email, entitlement: ent, quantity };
  const charged = chargeOwnSeats(state, id, email, ent, quantity);
  const info = allocationInfo(state, allocation, now);
  return {
    changes: [
      { type: 'allocation.set', allocation },
      ...lingersEnd(state, entitlement, more.sharedTaken, charged),
      ...charged,
    ],
    info: { ...info, inUse: info.inUse + countOf(state, charged) },
  };
}

/** Seats that these changes charge elsewhere. */
export function countOf(state: State, changes: readonly Change[]): number {
  const count = (change: Change): number =>
    change.type === 'seat.charged' ? state.tables.seat.get(change.id)!.count : 0;
  return changes.reduce((sum, change) => sum + count(change), 0);
}

/** While a revoke of the same seats is pending, an admin who assigns says two things at once: which one holds must be said first. */
export function revokeUnderway(
  state: State,
  email: string,
  entitlements: readonly Entitlement[],
  { now }: Context,
): Denial | null {
  for (const { claims } of entitlements) {
    if (state.tables.allocation.get(allocationId(email, claims.jti))?.revoking === undefined) continue;
    const untilMs = borrowsEndMs(state, borrowsOnAllocation(state, email, claims.jti), now);
    const denial = revokePending(`A revoke of ${claims.product} from ${email} is pending.`, untilMs);
    return {
      ...denial,
      next: `Cancel it first: berth license revoke ${shellWord(email)} ${claims.product} --cancel`,
    };
  }
  return null;
}

/** What the user already uses of this entitlement's shared seats is charged to the new allocation: one person, one seat. */
function chargeOwnSeats(
  state: State,
  allocation: string,
  email: string,
  entitlement: string,
  quantity: number,
): Change[] {
  let room = quantity - state.derived.usedByAllocation.get(allocation);
  const changes: Change[] = [];
  for (const id of state.derived.seatsByUser.get(email)) {
    const seat = state.tables.seat.get(id)!;
    if (seat.entitlement !== entitlement || seat.allocation !== null || seat.count > room) continue;
    changes.push({ type: 'seat.charged', id, entitlement, allocation });
    room -= seat.count;
  }
  return changes;
}

/** Seats that only linger in the shared ones are free for whom they are set aside (PRODUCT.md, Words). */
function lingersEnd(
  state: State,
  entitlement: Entitlement,
  taken: number,
  charged: readonly Change[],
): Change[] {
  const { jti, product } = entitlement.claims;
  const own = new Set(charged.flatMap((change) => (change.type === 'seat.charged' ? [change.id] : [])));
  if (sharedFree(state, entitlement) - taken + countOf(state, charged) >= 0) return [];
  const isShared = (seat: Seat): boolean =>
    seat.entitlement === jti && seat.allocation === null && !own.has(seat.id);
  return endLingers(state, product, 'pool changed', isShared);
}

/**
 * Shrinks an allocation: seats in use beyond what is left are charged to the shared ones and their leases revoked, newest first.
 * @param to.revoking what of it is still to be revoked when its borrows end
 */
export function shrink(
  state: State,
  { email, entitlement }: Allocation,
  to: { readonly quantity: number; readonly revoking: Allocation['revoking'] | null; readonly by: string },
): Change[] {
  const { quantity, revoking, by } = to;
  const id = allocationId(email, entitlement);
  const allocation: Allocation = { email, entitlement, quantity, ...(revoking ? { revoking } : {}) };
  const changes: Change[] = [{ type: 'allocation.set', allocation }];
  let excess = state.derived.usedByAllocation.get(id) - quantity;
  if (excess <= 0) return changes;
  for (const seat of seatsOn(state, id, allocation)) {
    if (excess <= 0) break;
    excess -= seat.count;
    if (seat.linger !== undefined) {
      changes.push(freed(seat, 'pool changed'));
      continue;
    }
    changes.push(...withdraw(state, seat, by, 'The seat was revoked by an administrator.'));
    changes.push({ type: 'seat.charged', id: seat.id, entitlement: seat.entitlement, allocation: null });
  }
  return changes;
}

/** Seats on an allocation that may be withdrawn: borrowed ones never (I8); held ones first, since they are on their way out. */
function seatsOn(state: State, allocation: string, { email }: Allocation): Seat[] {
  const found: Seat[] = [];
  for (const id of state.derived.seatsByUser.get(email)) {
    const seat = state.tables.seat.get(id)!;
    if (seat.allocation === allocation && state.derived.statusBySeat.get(id) !== 'borrowed') found.push(seat);
  }
  const heldFirst = (seat: Seat): number => (state.derived.statusBySeat.get(seat.id) === 'held' ? 0 : 1);
  return found.sort((a, b) => heldFirst(a) - heldFirst(b) || b.takenAtMs - a.takenAtMs);
}

/** Revokes every open lease of a seat: it is held until their windows end or their devices sign a stop. */
export function withdraw(state: State, seat: Seat, by: string, reason: string): Change[] {
  const changes: Change[] = [];
  for (const id of state.derived.leasesBySeat.get(seat.id)) {
    if (state.tables.lease.get(id)!.state === 'open') changes.push({ type: 'lease.revoked', id, by, reason });
  }
  return changes;
}

/** Ends every allocation of an entitlement; seats still in use are charged to its shared ones. */
export function dropAllocations(state: State, entitlement: string): Change[] {
  const changes: Change[] = [];
  for (const id of state.derived.allocationsByEntitlement.get(entitlement)) {
    changes.push({
      type: 'allocation.set',
      allocation: { ...state.tables.allocation.get(id)!, quantity: 0 },
    });
  }
  for (const id of state.derived.seatsByEntitlement.get(entitlement)) {
    if (state.tables.seat.get(id)!.allocation !== null)
      changes.push({ type: 'seat.charged', id, entitlement, allocation: null });
  }
  return changes;
}
