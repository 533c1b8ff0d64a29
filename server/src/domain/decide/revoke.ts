import type { Change } from '../changes.js';
import { type Command, type Context, type Decision, deny } from '../commands.js';
import { borrowedSeats, borrowsEndMs } from '../pending.js';
import { type Allocation, allocationId, type State } from '../state.js';
import { shrink } from './allocation.js';
import { borrowedBy, pendingInstead, userUnknown } from './denial.js';
import { revokePending } from './pending.js';
import { shellWord } from './shell-word.js';
import { isMeant, type Which } from './which.js';

/**
 * Takes seats back from a user; live leases beyond what is left are revoked. While that would take a borrowed one (I8) it is refused,
 * or takes what it can and leaves the rest pending.
 */
export function revoke(state: State, command: Command<'revoke'>, context: Context): Decision<'revoke'> {
  const { email, product, when = 'now' } = command;
  if (!state.tables.user.has(email)) return userUnknown(state, email);
  const found = allocationsOf(state, command);
  const total = found.reduce((sum, { quantity }) => sum + quantity, 0);
  if (total === 0 && hasPersonal(state, email, product))
    return deny('PERSONAL', undefined, { email, product });
  if (total === 0 && allocationsOf(state, { email, product, endMs: null }).length > 0)
    return deny(
      'ALLOCATION_UNKNOWN',
      `${email} has seats of ${product} set aside, but none of the entitlement that you name.`,
      { email, product },
      `To see which: berth license list ${shellWord(email)}`,
    );
  if (total === 0 && when === 'cancel')
    return deny(
      'ALLOCATION_UNKNOWN',
      `No revoke of ${product} from ${email} is pending, and no seat of it is set aside for them.`,
      { email, product },
      `If a revoke waited, it has taken effect since. To give a seat back: berth license assign ${shellWord(email)} ${product}`,
    );
  if (total === 0)
    return deny('ALLOCATION_UNKNOWN', `${email} has no allocation of ${product} that can be revoked.`, {
      email,
      product,
    });
  if (when === 'cancel') return cancel(state, command, found, context);
  // What is pending already needs not be asked for again: repeated, a pending revoke changes nothing.
  const open = total - (when === 'pending' ? pendingIn(found) : 0);
  const quantity = command.quantity === 'all' || open === 0 ? open : command.quantity;
  if (quantity > total)
    return deny('ALLOCATION_UNKNOWN', `${email} has only ${total} of ${product}.`, {
      email,
      product,
      allocated: total,
    });
  return takeSeats(state, command, found, Math.min(quantity, open), context);
}

function takeSeats(
  state: State,
  { email, product, when = 'now', by }: Command<'revoke'>,
  found: readonly Allocation[],
  quantity: number,
  context: Context,
): Decision<'revoke'> {
  const taken = takeBack(state, found, quantity);
  const revoked = sum(taken);
  const endsMs = borrowsEndMs(state, borrowsOf(state, email, product), context.now);
  if (revoked < quantity && when === 'now') return pendingInstead(borrowedBy(state, email, endsMs));
  const queued = leavePending(found, taken, quantity - revoked);
  const changes = found.flatMap((row): Change[] => {
    const [less, more] = [taken.get(row) ?? 0, queued.get(row) ?? 0];
    if (less === 0 && more === 0) return [];
    const { seats = 0, ...since } = row.revoking ?? { by: by.email, sinceMs: context.now.wallMs };
    const revoking = seats + more > 0 ? { ...since, seats: seats + more } : null;
    return shrink(state, row, { quantity: row.quantity - less, revoking, by: by.email });
  });
  const left = found.reduce((all, row) => all + row.quantity, 0) - revoked;
  const pending = pendingIn(found) + sum(queued);
  const leasesRevoked = changes.filter(({ type }) => type === 'lease.revoked').length;
  const waiting = pending > 0 ? { pending, pendingUntilMs: endsMs } : {};
  return { ok: true, changes, outcome: { email, revoked, left, leasesRevoked, ...waiting } };
}

/** The seats stay with the user after all; also after they were asked for several times. */
function cancel(
  state: State,
  { email, product }: Command<'revoke'>,
  found: readonly Allocation[],
  { now }: Context,
): Decision<'revoke'> {
  const stuck = found.filter(({ revoking }) => revoking !== undefined);
  const blocker = stuck.length === 0 ? null : removalOf(state, email, stuck);
  if (blocker !== null) {
    const untilMs = borrowsEndMs(state, borrowsOf(state, email, product), now);
    return {
      ...revokePending(`The removal of ${blocker.what} is pending and needs it.`, untilMs),
      next: blocker.next,
    };
  }
  const changes = stuck.map(
    ({ revoking: _, ...allocation }): Change => ({ type: 'allocation.set', allocation }),
  );
  const left = found.reduce((all, row) => all + row.quantity, 0);
  return {
    ok: true,
    changes,
    outcome: { email, revoked: 0, left, leasesRevoked: 0, cancelled: pendingIn(found) },
  };
}

/** A removal that was accepted because these seats were to go: without them going it could never end. */
function removalOf(
  state: State,
  email: string,
  stuck: readonly Allocation[],
): { what: string; next: string } | null {
  if (state.tables.user.get(email)!.removing !== undefined)
    return { what: email, next: `Cancel that first: berth user remove ${shellWord(email)} --cancel` };
  const row = stuck.find(({ entitlement: id }) => state.tables.entitlement.get(id)!.removing !== undefined);
  if (row === undefined) return null;
  const next = `Cancel that first: berth entitlement remove ${row.entitlement} --cancel`;
  return { what: `entitlement ${row.entitlement}`, next };
}

/** How many seats each allocation gives up: idle ones first, then those in use; borrowed ones never (I8). */
export function takeBack(
  state: State,
  found: readonly Allocation[],
  quantity: number,
): Map<Allocation, number> {
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

/** How many seats of each allocation wait for a borrow to end. */
function leavePending(
  found: readonly Allocation[],
  taken: ReadonlyMap<Allocation, number>,
  quantity: number,
): Map<Allocation, number> {
  const queued = new Map<Allocation, number>();
  let left = quantity;
  for (const row of found) {
    const more = Math.min(left, row.quantity - (taken.get(row) ?? 0) - (row.revoking?.seats ?? 0));
    if (more > 0) queued.set(row, more);
    left -= Math.max(0, more);
  }
  return queued;
}

export function sum(counts: ReadonlyMap<Allocation, number>): number {
  return [...counts.values()].reduce((all, count) => all + count, 0);
}

function pendingIn(found: readonly Allocation[]): number {
  return found.reduce((all, { revoking }) => all + (revoking?.seats ?? 0), 0);
}

/** Revocable allocations of the product, the ones that end first in front. */
export function allocationsOf(state: State, command: Which & { readonly email: string }): Allocation[] {
  const found: { allocation: Allocation; exp: number }[] = [];
  for (const id of state.derived.entitlementsByProduct.get(command.product)) {
    const { claims } = state.tables.entitlement.get(id)!;
    const allocation = state.tables.allocation.get(allocationId(command.email, id));
    if (allocation === undefined || claims.holder !== undefined) continue;
    if (isMeant(claims, command)) found.push({ allocation, exp: claims.exp });
  }
  return found.sort((a, b) => a.exp - b.exp).map(({ allocation }) => allocation);
}

export function hasPersonal(state: State, email: string, product: string): boolean {
  return [...state.derived.entitlementsByProduct.get(product)].some(
    (id) => state.tables.entitlement.get(id)!.claims.holder === email,
  );
}

/** What this user has borrowed of the product: the refusal ends with the last of it. */
export function borrowsOf(state: State, email: string, product: string) {
  return borrowedSeats(state, state.derived.seatsByUser.get(email)).filter(
    (seat) => seat.product === product,
  );
}
