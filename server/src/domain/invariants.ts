import {
  isLive,
  trackAllocation,
  trackDevice,
  trackEntitlement,
  trackFormer,
  trackInvitation,
  trackJob,
  trackLease,
  trackMail,
  trackReserve,
  trackSeat,
  trackUser,
} from './derive.js';
import { trackCreditAccess, trackCreditRequest, trackCreditUse } from './derive-credits.js';
import type { Derived } from './derived.js';
import { succeeds } from './endorsements.js';
import { ripe } from './pending.js';
import { activeEntitlements, usageOf } from './pools.js';
import { SortedIndex, SortedKeys } from './sorted-keys.js';
import { emptyState, type Now, type State } from './state.js';
import { Index } from './table.js';

/**
 * Every invariant of the domain that can be judged from one state (DESIGN 3). Walks everything: for `berthd check`, the tests and the
 * simulator, not for each command.
 * @returns sentences naming what is broken; empty when all holds.
 */
export function brokenInvariants(state: State, now: Now): string[] {
  return [
    ...derivedDiffers(state),
    ...equations(state, now),
    ...seatsWithoutLeases(state),
    ...entitlementsOverdrawn(state, now),
    ...vendorsWithoutRight(state),
    ...overduePending(state),
    ...aliasesTwice(state),
    ...removedMembers(state),
    ...creditsDiffer(state),
  ];
}

function derivedDiffers(state: State): string[] {
  const fresh = emptyState();
  const { tables } = state;
  for (const row of tables.user.values()) trackUser(fresh, undefined, row);
  for (const row of tables.formerUser.values()) trackFormer(fresh, undefined, row);
  for (const row of tables.invitation.values()) trackInvitation(fresh, undefined, row);
  for (const [id, row] of tables.device.entries()) {
    fresh.tables.device.set(id, row);
    trackDevice(fresh, undefined, row);
  }
  for (const row of tables.entitlement.values()) {
    trackEntitlement(fresh, undefined, row);
    fresh.tables.entitlement.set(row.claims.jti, row);
  }
  for (const row of tables.allocation.values()) trackAllocation(fresh, row);
  for (const [id, row] of tables.seat.entries()) {
    fresh.tables.seat.set(id, row);
    trackSeat(fresh, undefined, row);
  }
  for (const [id, row] of tables.lease.entries()) {
    fresh.tables.lease.set(id, row);
    trackLease(fresh, undefined, row);
  }
  for (const [id, row] of tables.request.entries()) {
    for (const lease of row.leases) fresh.derived.requestsByLease.set(lease, id);
  }
  for (const row of tables.mail.values()) trackMail(fresh, undefined, row);
  for (const [id, row] of tables.job.entries()) {
    fresh.tables.job.set(id, row);
    trackJob(fresh, undefined, row);
  }
  for (const row of tables.creditAccess.values()) trackCreditAccess(fresh, undefined, row);
  for (const row of tables.creditUse.values()) trackCreditUse(fresh, undefined, row);
  for (const row of tables.creditRequest.values()) trackCreditRequest(fresh, row);
  for (const [id, row] of tables.reserve.entries()) {
    fresh.tables.reserve.set(id, row);
    trackReserve(fresh, undefined, row);
  }
  return (Object.keys(fresh.derived) as (keyof Derived)[])
    .filter((name) => plain(fresh.derived[name]) !== plain(state.derived[name]))
    .map(
      (name) => `derived ${name} is ${plain(state.derived[name])}, should be ${plain(fresh.derived[name])}`,
    );
}

function plain(value: Derived[keyof Derived]): string {
  // Keys in order are compared as they are: out of order they would be found by nobody.
  if (value instanceof SortedKeys) return JSON.stringify([...value]);
  const entries =
    value instanceof Index || value instanceof SortedIndex
      ? [...value.entries()].map(([key, ids]) => [key, ids instanceof Set ? [...ids].sort() : [...ids]])
      : [...value.entries()];
  return JSON.stringify(entries.sort((a, b) => (String(a[0]) < String(b[0]) ? -1 : 1)));
}

function equations(state: State, now: Now): string[] {
  const broken: string[] = [];
  for (const product of productsIn(state)) {
    const usage = usageOf(state, product, now);
    const { owned, allocated, inUse, borrowed, held, keptBack, free, over } = usage;
    if (allocated > owned) broken.push(`${product}: ${allocated} allocated of ${owned} owned`);
    if (inUse + borrowed + held + free !== owned + over) broken.push(`${product}: ${JSON.stringify(usage)}`);
    let taken = 0;
    for (const id of state.derived.seatsByProduct.get(product)) taken += state.tables.seat.get(id)!.count;
    if (taken !== inUse + borrowed + held - keptBack)
      broken.push(`${product}: ${taken} seats taken, ${inUse + borrowed + held - keptBack} counted`);
  }
  return broken;
}

function productsIn(state: State): string[] {
  return [...state.tables.product.values()].map(({ product }) => product);
}

function seatsWithoutLeases(state: State): string[] {
  const broken: string[] = [];
  for (const seat of state.tables.seat.values()) {
    const leases = [...state.derived.leasesBySeat.get(seat.id)].map((id) => state.tables.lease.get(id)!);
    if (leases.length === 0 && seat.linger === undefined) broken.push(`seat ${seat.id} has no lease`);
    if (leases.length > 0 && seat.linger !== undefined)
      broken.push(`seat ${seat.id} lingers and has a lease`);
    if (state.lingerEndsMs.has(seat.id) !== (seat.linger !== undefined))
      broken.push(`seat ${seat.id} lingers without an end, or ends without lingering`);
    if (leases.some(({ claims }) => claims.n > seat.count))
      broken.push(`seat ${seat.id} has a lease of more than ${seat.count}`);
  }
  for (const lease of state.tables.lease.values()) {
    if (!state.tables.seat.has(lease.claims.seat)) broken.push(`lease ${lease.claims.jti} has no seat`);
  }
  return broken;
}

function entitlementsOverdrawn(state: State, now: Now): string[] {
  const broken: string[] = [];
  for (const product of productsIn(state)) {
    for (const { claims } of activeEntitlements(state, product, now)) {
      const allocated = state.derived.allocated.get(claims.jti);
      if (allocated > claims.seats) broken.push(`${claims.jti}: ${allocated} allocated of ${claims.seats}`);
      const lent = state.derived.borrowedByEntitlement.get(claims.jti);
      if (lent > claims.seats) broken.push(`${claims.jti}: ${lent} borrowed of ${claims.seats}`);
    }
  }
  return broken;
}

/** I8: what is pending waits for a borrow and for nothing else, and says how many seats of the allocation it wants. */
function overduePending(state: State): string[] {
  const broken = [...ripe(state)].map(({ kind, id }) => `the pending end of ${kind} ${id} is overdue`);
  for (const [id, { quantity, revoking }] of state.tables.allocation.entries()) {
    if (revoking !== undefined && (revoking.seats < 1 || revoking.seats > quantity))
      broken.push(`allocation ${id}: ${revoking.seats} of ${quantity} to be revoked`);
  }
  return broken;
}

/** A login name leads to one user. */
function aliasesTwice(state: State): string[] {
  return [...state.tables.user.values()].flatMap(({ email, aliases = [] }) =>
    aliases.flatMap((alias) =>
      state.derived.userByAlias.get(alias) === email
        ? []
        : [`${alias} is a login name of ${email} and of another`],
    ),
  );
}

/** Whoever was removed is no member. */
function removedMembers({ tables }: State): string[] {
  return [...tables.formerUser.keys()].flatMap((email) =>
    tables.user.has(email) ? [`${email} was removed and is a member`] : [],
  );
}

/** Whatever users spent was charged to entitlements, a credit once; who may spend, or asks to, is a member. */
function creditsDiffer(state: State): string[] {
  const { creditAccount, creditUse, creditAccess, creditRequest, user } = state.tables;
  let [charged, used] = [0, 0];
  for (const { spent } of creditAccount.values()) charged += spent;
  for (const { credits } of creditUse.values()) used += credits;
  const broken = charged === used ? [] : [`${used} credits were spent, ${charged} are charged`];
  for (const { email, month, credits, days } of creditUse.values()) {
    const sum = Object.values(days).reduce((total, count) => total + count, 0);
    if (sum !== credits) broken.push(`${email} spent ${credits} credits in ${month}, its days say ${sum}`);
  }
  for (const email of [...creditAccess.keys(), ...creditRequest.keys()])
    if (!user.has(email)) broken.push(`${email} has credits and is no member`);
  return broken;
}

/** DESIGN 4: whatever still grants was signed by the key that owns its product, or by one that was endorsed away. */
function vendorsWithoutRight(state: State): string[] {
  return [...state.tables.entitlement.values()].flatMap((row) => {
    if (!isLive(row)) return [];
    const { jti, iss, product } = row.claims;
    const owner = state.tables.product.get(product)?.vendor ?? '';
    return succeeds(state, iss, owner, product)
      ? []
      : [`${jti}: signed by a key without a right to ${product}`];
  });
}
