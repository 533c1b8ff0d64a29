import type { Change } from './journal-entry.js';
import type { AllocationRow, EntitlementRow, KeptRow, Ledger, SeatRow } from './ledger.js';
import type { Accuse, Judge } from './replay-grants.js';
import { allocationsOf, peopleRules } from './replay-people.js';
import { followsWrongly, heirRules, lostSeatsGoOn, removedGoesOn } from './replay-taken-back.js';

/** A commit carries the clock when it has gone on for a minute; and a bit for what the tick is late. */
const CLOCK_LAG_MS = 65_000;
const SIGMA_MS = 15 * 60_000;

/** Endings, entitlements, members and kept requests. */
export const adminRules: Readonly<Record<string, Judge>> = {
  'lease.ended': (ledger, { id, reason, linger }, accuse) => {
    if (linger !== undefined) lingersWrongly(ledger, ledger.seatOf(String(id)), accuse);
    const { claims, revoked } = ledger.leases.get(String(id))!;
    const isBorrow = claims.kind === 'borrow';
    const ofBorrow = reason === 'returned';
    const ofOnline = ['released', 'stopped'].includes(String(reason));
    if (isBorrow ? ofOnline : ofBorrow)
      accuse('I8', `${claims.kind} ${claims.jti} ended as ${String(reason)}`);
    if (revoked && reason === 'released')
      accuse('I1', `lease ${claims.jti} was revoked and ended without the signed stop of its device`);
    const late = ledger.entitlements.get(claims.ent)?.claims.earlyReturn === 'at-expiry';
    if (reason === 'returned' && late)
      accuse('I8', `borrow ${claims.jti} was returned before it would have ended`);
  },
  'lease.revoked': (ledger, { id }, accuse) => {
    const { claims } = ledger.leases.get(String(id))!;
    if (claims.kind === 'borrow') accuse('I8', `borrow ${claims.jti} was revoked`);
  },
  'entitlement.put': (ledger, { entitlement }, accuse) => {
    const { claims } = entitlement as EntitlementRow;
    const known = ledger.entitlements.get(claims.jti);
    if (known !== undefined && claims.rev < known.claims.rev)
      accuse('ENTITLEMENT', `revision ${claims.rev} of ${claims.jti} takes the place of ${known.claims.rev}`);
    const isLive = known?.state === 'active' || known?.state === 'future';
    if (isLive && known.removing !== undefined && (entitlement as EntitlementRow).removing === undefined)
      accuse('I8', `a revision of ${claims.jti} undoes its removal, which is pending`);
    followsWrongly(ledger, entitlement as EntitlementRow, accuse);
    if (known?.state === 'replaced') accuse('ENTITLEMENT', `${claims.jti} comes back after it was replaced`);
    const product = ledger.products.get(claims.product);
    if (product === undefined) accuse('JOURNAL', `${claims.jti} is of a product that is unknown`);
    else if (product.vendor !== claims.iss || product.share !== claims.share)
      accuse('ENTITLEMENT', `${claims.jti} is of another vendor or share rule than ${claims.product}`);
  },
  ...peopleRules,
  ...heirRules,
  'request.kept': (ledger, { request }, accuse) => {
    const { id, leases } = request as KeptRow;
    if (ledger.kept.has(id)) accuse('I7', `the request "${id}" was carried out twice`);
    for (const lease of leases)
      if (!ledger.leases.has(lease))
        accuse('I7', `the request "${id}" is kept with lease ${lease}, which is not there`);
    notCut(ledger, request as KeptRow, accuse);
  },
};

/** A seat lingers for whoever had it only while it would be granted to them again: others wait for what is too much, or to be taken back. */
function lingersWrongly(ledger: Ledger, seat: SeatRow | undefined, accuse: Accuse): void {
  if (seat === undefined) return;
  const { id, product, entitlement, email } = seat;
  const [taken, owned] = [ledger.count((other) => other.product === product), ledger.owned(product)];
  if (taken > owned)
    accuse('LINGER', `seat ${id} lingers while ${taken} seats of ${product} are taken, ${owned} owned`);
  const leaving = (what: string): void => accuse('LINGER', `seat ${id} lingers while ${what} is pending`);
  if (ledger.entitlements.get(entitlement)?.removing !== undefined) leaving(`the removal of ${entitlement}`);
  if (ledger.users.get(email)?.removing !== undefined) leaving(`the removal of ${email}`);
}

/** Whoever switched sharing off was told how many shared seats run on. */
function notCut(ledger: Ledger, { id, method, outcome }: KeptRow, accuse: Accuse): void {
  if (method !== 'setSharing') return;
  const { products } = outcome as { readonly products: readonly Switched[] };
  for (const { product, floatingSharing, seatsRunning } of products) {
    if (floatingSharing || seatsRunning > 0) continue;
    const goesOn = (lease: string): boolean => ledger.leases.get(lease)?.revoked === false;
    const running = ledger.count(
      (seat) =>
        seat.product === product &&
        seat.allocation === null &&
        !ledger.isBorrowed(seat) &&
        [...seat.leases].some(goesOn),
    );
    if (running > 0)
      accuse('SHARING', `"${id}" was told that no shared seat of ${product} runs on, ${running} do`);
  }
}

interface Switched {
  readonly product: string;
  readonly floatingSharing: boolean;
  readonly seatsRunning: number;
}

/** What must hold when a record is whole. */
export const recordRules: readonly ((ledger: Ledger, changes: readonly Change[], accuse: Accuse) => void)[] =
  [
    expiredEarly,
    reserveEndedEarly,
    allocationsTooLarge,
    borrowsUncovered,
    pendingLeft,
    removedGoesOn,
    lostSeatsGoOn,
  ];

/**
 * By the clock that the journal itself carries (I3). The clock of a machine that asked in a file may be behind by as much as its request seemed old: its
 * seat is held for so much longer.
 */
function expiredEarly(ledger: Ledger, _changes: readonly Change[], accuse: Accuse): void {
  for (const { jti, exp, iat, dur, nonce } of ledger.expiredBorrows.splice(0)) {
    const ageMs = Math.max(0, iat * 1000 - (ledger.signedAtMs.get(nonce) ?? Number.POSITIVE_INFINITY));
    const earlyMs = exp * 1000 + SIGMA_MS + 2 * dur + ageMs - ledger.highWaterMs;
    if (earlyMs > CLOCK_LAG_MS)
      accuse('I3', `borrow ${jti} ended ${Math.round(earlyMs / 1000)} s before its hold was over`);
  }
}

/** I9: by the same clock. */
function reserveEndedEarly(ledger: Ledger, _changes: readonly Change[], accuse: Accuse): void {
  for (const { entitlement, untilMs } of ledger.restore.ended.splice(0)) {
    const earlyMs = untilMs - ledger.highWaterMs;
    if (earlyMs > CLOCK_LAG_MS)
      accuse('I9', `nothing of ${entitlement} is kept back any more, ${earlyMs} ms too early`);
  }
}

/** Entitlements that a record touched own at least what is allocated of them. */
function allocationsTooLarge(ledger: Ledger, changes: readonly Change[], accuse: Accuse): void {
  for (const id of touched(changes)) {
    const allocated = ledger.allocated(id);
    const { claims, state } = ledger.entitlements.get(id) ?? {};
    const has = state === 'active' || state === 'future' ? claims!.seats : 0;
    if (allocated > has) accuse('ALLOCATION', `${allocated} seats of ${id} are allocated, it has ${has}`);
  }
}

/** I8: whatever was revoked, removed or made smaller, borrows have where they belong. */
function borrowsUncovered(ledger: Ledger, changes: readonly Change[], accuse: Accuse): void {
  const isLent = (seat: SeatRow): boolean => ledger.isBorrowed(seat);
  for (const id of touched(changes)) {
    const lent = ledger.count((seat) => seat.entitlement === id && isLent(seat));
    const { claims, state } = ledger.entitlements.get(id) ?? {};
    const has = state === 'removed' || state === 'replaced' ? 0 : (claims?.seats ?? 0);
    if (lent > has) accuse('I8', `${lent} seats of ${id} are borrowed, it has ${has}`);
  }
  for (const row of allocationsIn(changes)) {
    const id = `${row.email} ${row.entitlement}`;
    const lent = ledger.count((seat) => seat.allocation === id && isLent(seat));
    const has = ledger.allocations.get(id)?.quantity ?? 0;
    if (lent > has) accuse('I8', `${lent} seats of "${id}" are borrowed, ${has} are allocated`);
  }
}

/** I8: what was left pending is carried out in the very record that ends the last borrow in its way. */
function pendingLeft(ledger: Ledger, changes: readonly Change[], accuse: Accuse): void {
  if (!changes.some(({ type }) => ripening.has(type))) return;
  const isLent = (seat: SeatRow): boolean => ledger.isBorrowed(seat);
  for (const [id, { quantity, revoking }] of ledger.allocations) {
    const spare = quantity - ledger.count((seat) => seat.allocation === id && isLent(seat));
    if (Math.min(revoking?.seats ?? 0, spare) > 0)
      accuse('I8', `the pending revoke of "${id}" is not carried out`);
  }
  for (const { email, removing } of ledger.users.values()) {
    const stays = allocationsOf(ledger, email) + ledger.count((seat) => seat.email === email && isLent(seat));
    if (removing !== undefined && stays === 0)
      accuse('I8', `the pending removal of ${email} is not carried out`);
  }
  for (const [id, { claims, removing }] of ledger.entitlements) {
    const kept = claims.holder === undefined ? ledger.allocated(id) : 0;
    const stays = kept + ledger.count((seat) => seat.entitlement === id && isLent(seat));
    if (removing !== undefined && stays === 0)
      accuse('I8', `the pending removal of ${id} is not carried out`);
  }
}

const ripening: ReadonlySet<string> = new Set([
  'lease.ended',
  'allocation.set',
  'user.put',
  'entitlement.removing',
]);

function allocationsIn(changes: readonly Change[]): AllocationRow[] {
  return changes.flatMap(({ type, allocation }) =>
    type === 'allocation.set' ? [allocation as AllocationRow] : [],
  );
}

/** Entitlements of which something was allocated, or that were put or ended. */
function touched(changes: readonly Change[]): Set<string> {
  const ids = allocationsIn(changes).map(({ entitlement }) => entitlement);
  for (const { type, id, entitlement } of changes) {
    if (type === 'entitlement.put') ids.push((entitlement as EntitlementRow).claims.jti);
    if (type === 'entitlement.state') ids.push(String(id));
  }
  return new Set(ids);
}
