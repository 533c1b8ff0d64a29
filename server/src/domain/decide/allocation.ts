import { formatDay } from '@berth/protocol';
import type { Change } from '../changes.js';
import { type Command, type Context, type Decision, type Denial, deny } from '../commands.js';
import { activeEntitlements } from '../pools.js';
import { type Allocation, allocationId, type Entitlement, type Seat, type State } from '../state.js';
import { allocationInfo } from '../views.js';
import { borrowedBy, seatFreeAtMs } from './denial.js';
import { closed } from './grant.js';

/** Sets seats of one entitlement aside for one user: the one that ends last unless a day is named. */
export function assign(state: State, command: Command<'assign'>, context: Context): Decision<'assign'> {
  const refused = closed(state, context);
  if (refused !== null) return refused;
  const { email, product, quantity } = command;
  if (!state.tables.user.has(email)) return deny('USER_UNKNOWN', undefined, { email });
  const entitlements = activeEntitlements(state, product, context.now).filter(
    ({ claims }) => claims.holder === undefined,
  );
  if (entitlements.length === 0) return deny('PRODUCT_UNKNOWN', undefined, { product });
  const dated = entitlements.filter(
    ({ claims }) => command.endMs === null || claims.exp * 1000 === command.endMs,
  );
  if (dated.length === 0) return noSuchEnd(entitlements, product);
  const entitlement = dated.find(
    ({ claims }) => claims.seats - state.derived.allocated.get(claims.jti) >= quantity,
  );
  if (entitlement === undefined) return allAllocated(state, dated, product);
  const ent = entitlement.claims.jti;
  const allocation = allocationId(email, ent);
  const before = state.tables.allocation.get(allocation)?.quantity ?? 0;
  const changes: Change[] = [
    { type: 'allocation.set', allocation: { email, entitlement: ent, quantity: before + quantity } },
  ];
  const charged = chargeOwnSeats(state, allocation, email, ent, before + quantity);
  changes.push(...charged);
  const info = allocationInfo(state, { email, entitlement: ent, quantity: before + quantity });
  const inUse = charged.reduce(
    (sum, change) => sum + (change.type === 'seat.charged' ? state.tables.seat.get(change.id)!.count : 0),
    0,
  );
  return { ok: true, changes, outcome: { allocation: { ...info, inUse: info.inUse + inUse } } };
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

function noSuchEnd(entitlements: readonly Entitlement[], product: string): Denial {
  const ends = [...new Set(entitlements.map(({ claims }) => formatDay(claims.exp * 1000 - 1)))];
  return deny(
    'ENTITLEMENT_UNKNOWN',
    `No entitlement of ${product} ends that day.`,
    { ends },
    `Use one of: ${ends.join(', ')}.`,
  );
}

/** Names whom a seat could come from (PRODUCT.md, assign). */
function allAllocated(state: State, entitlements: readonly Entitlement[], product: string): Denial {
  const holders: { email: string; quantity: number }[] = [];
  for (const { claims } of entitlements) {
    for (const id of state.derived.allocationsByEntitlement.get(claims.jti)) {
      if (holders.length === 10) break;
      const { email, quantity } = state.tables.allocation.get(id)!;
      holders.push({ email, quantity });
    }
  }
  return deny('ALL_ALLOCATED', `Not that many seats of ${product} are left to allocate.`, {
    product,
    allocatedTo: holders,
  });
}

/** Takes seats back from a user. Refused while that would take a borrowed one (I8); live leases beyond what is left are revoked. */
export function revoke(state: State, command: Command<'revoke'>, context: Context): Decision<'revoke'> {
  const { email, product } = command;
  if (!state.tables.user.has(email)) return deny('USER_UNKNOWN', undefined, { email });
  const found = allocationsOf(state, command);
  const total = found.reduce((sum, { quantity }) => sum + quantity, 0);
  if (total === 0 && hasPersonal(state, email, product))
    return deny('PERSONAL', undefined, { email, product });
  if (total === 0)
    return deny('ALLOCATION_UNKNOWN', `${email} has no allocation of ${product} that can be revoked.`, {
      email,
      product,
    });
  const quantity = command.quantity === 'all' ? total : command.quantity;
  if (quantity > total)
    return deny('ALLOCATION_UNKNOWN', `${email} has only ${total} of ${product}.`, {
      email,
      product,
      allocated: total,
    });
  const taken = takeBack(state, found, quantity);
  const left = quantity - [...taken.values()].reduce((sum, seats) => sum + seats, 0);
  if (left > 0) return borrowedBy(email, borrowsEndMs(state, email, product, context));
  const changes = [...taken].flatMap(([row, seats]) =>
    shrink(state, row, row.quantity - seats, command.by.email),
  );
  const leasesRevoked = changes.filter(({ type }) => type === 'lease.revoked').length;
  return { ok: true, changes, outcome: { revoked: quantity, left: total - quantity, leasesRevoked } };
}

/** How many seats each allocation gives up: idle ones first, then those in use; borrowed ones never (I8). */
function takeBack(state: State, found: readonly Allocation[], quantity: number): Map<Allocation, number> {
  const taken = new Map<Allocation, number>();
  let left = quantity;
  for (const usage of [state.derived.usedByAllocation, state.derived.borrowedByAllocation]) {
    for (const row of found) {
      const before = taken.get(row) ?? 0;
      const spare = row.quantity - usage.get(allocationId(row.email, row.entitlement)) - before;
      const more = Math.max(0, Math.min(left, spare));
      if (more > 0) taken.set(row, before + more);
      left -= more;
    }
  }
  return taken;
}

/** Revocable allocations of the product, the ones that end first in front. */
function allocationsOf(state: State, command: Command<'revoke'>): Allocation[] {
  const found: { allocation: Allocation; exp: number }[] = [];
  for (const id of state.derived.entitlementsByProduct.get(command.product)) {
    const { claims } = state.tables.entitlement.get(id)!;
    const allocation = state.tables.allocation.get(allocationId(command.email, id));
    if (allocation === undefined || claims.holder !== undefined) continue;
    if (command.endMs === null || claims.exp * 1000 === command.endMs)
      found.push({ allocation, exp: claims.exp });
  }
  return found.sort((a, b) => a.exp - b.exp).map(({ allocation }) => allocation);
}

function hasPersonal(state: State, email: string, product: string): boolean {
  return [...state.derived.entitlementsByProduct.get(product)].some(
    (id) => state.tables.entitlement.get(id)!.claims.holder === email,
  );
}

/** The latest end of a borrow of this user on this product: when the refusal ends. */
function borrowsEndMs(state: State, email: string, product: string, context: Context): number {
  let latest = context.now.wallMs;
  for (const id of state.derived.seatsByUser.get(email)) {
    const seat = state.tables.seat.get(id)!;
    if (seat.product !== product || state.derived.statusBySeat.get(id) !== 'borrowed') continue;
    latest = Math.max(latest, seatFreeAtMs(state, id, context.now));
  }
  return latest;
}

/** Shrinks an allocation: seats in use beyond what is left are charged to the shared ones and their leases revoked, newest first. */
function shrink(state: State, allocation: Allocation, quantity: number, by: string): Change[] {
  const id = allocationId(allocation.email, allocation.entitlement);
  const changes: Change[] = [{ type: 'allocation.set', allocation: { ...allocation, quantity } }];
  let excess = state.derived.usedByAllocation.get(id) - quantity;
  if (excess <= 0) return changes;
  for (const seat of seatsOn(state, id, allocation)) {
    if (excess <= 0) break;
    changes.push(...withdraw(state, seat, by, 'The seat was revoked by an administrator.'));
    changes.push({ type: 'seat.charged', id: seat.id, entitlement: seat.entitlement, allocation: null });
    excess -= seat.count;
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
