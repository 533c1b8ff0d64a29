import type { BulkJob } from './bulk.js';
import type { PendingKind, SeatStatus } from './derived.js';
import { dueKey, laneOf, type Mail } from './mail.js';
import type { Reserve } from './restore.js';
import {
  type Allocation,
  allocationId,
  type Device,
  type Entitlement,
  type FormerUser,
  type Invitation,
  type Lease,
  type Seat,
  type State,
  type User,
} from './state.js';

// Keeps what is derived from the tables in step with them: each function takes a row before and after a change. A checkout costs the
// same in a pool of ten and of a hundred thousand seats because nothing here walks a table.

export function trackDevice(state: State, before: Device | undefined, after: Device | undefined): void {
  const { deviceByKey, devicesByUser } = state.derived;
  if (before !== undefined) {
    deviceByKey.delete(`lease ${before.leaseKey}`);
    if (before.adminKey !== null) deviceByKey.delete(`admin ${before.adminKey}`);
    devicesByUser.remove(before.email, before.id);
  }
  if (after !== undefined) {
    deviceByKey.set(`lease ${after.leaseKey}`, after.id);
    if (after.adminKey !== null) deviceByKey.set(`admin ${after.adminKey}`, after.id);
    devicesByUser.add(after.email, after.id);
  }
}

export function trackEntitlement(state: State, before: Entitlement | undefined, after: Entitlement): void {
  const { entitlementsByProduct, creditEntitlements } = state.derived;
  if (before !== undefined) entitlementsByProduct.remove(before.claims.product, before.claims.jti);
  if (isLive(after)) entitlementsByProduct.add(after.claims.product, after.claims.jti);
  if (isLive(after) && (after.claims.credits ?? 0) > 0) creditEntitlements.add(after.claims.jti);
  else creditEntitlements.delete(after.claims.jti);
  trackPending(state, 'entitlement', after.claims.jti, isLive(after) && after.removing !== undefined);
}

export function trackUser(state: State, before: User | undefined, after: User | undefined): void {
  const { userNames, usersByRole, usersByState, userByAlias } = state.derived;
  if (before !== undefined) {
    usersByRole.remove(before.role, before.email);
    usersByState.remove(before.state, before.email);
    for (const alias of before.aliases ?? []) userByAlias.delete(alias);
    if (after === undefined) userNames.remove(before.email);
    trackPending(state, 'user', before.email, false);
  }
  if (after === undefined) return;
  userNames.add(after.email);
  usersByRole.add(after.role, after.email);
  usersByState.add(after.state, after.email);
  for (const alias of after.aliases ?? []) userByAlias.set(alias, after.email);
  trackPending(state, 'user', after.email, after.removing !== undefined);
}

export function trackFormer(
  state: State,
  before: FormerUser | undefined,
  after: FormerUser | undefined,
): void {
  if (before !== undefined) state.derived.formerNames.remove(before.email);
  if (after !== undefined) state.derived.formerNames.add(after.email);
}

export function trackInvitation(
  state: State,
  before: Invitation | undefined,
  after: Invitation | undefined,
): void {
  const { invitationsByUser } = state.derived;
  if (before !== undefined) invitationsByUser.remove(before.email, before.id);
  if (after !== undefined) invitationsByUser.add(after.email, after.id);
}

export function trackMail(state: State, before: Mail | undefined, after: Mail | undefined): void {
  const { mailsByState, mailByInvitation } = state.derived;
  if (before !== undefined) mailsByState.remove(before.state, before.id);
  trackDigest(state, before, after);
  trackQueued(state, before, after);
  if (after !== undefined) mailsByState.add(after.state, after.id);
  for (const fact of (after ?? before)!.facts) {
    if (fact.kind !== 'invited') continue;
    if (after !== undefined) mailByInvitation.set(fact.invitation, after.id);
    else mailByInvitation.delete(fact.invitation);
  }
}

function trackDigest(state: State, before: Mail | undefined, after: Mail | undefined): void {
  if (before?.state === 'gathering') state.derived.digestByJob.delete(`${before.job} ${before.to}`);
  if (after?.state === 'gathering') state.derived.digestByJob.set(`${after.job} ${after.to}`, after.id);
}

function trackQueued({ derived }: State, before: Mail | undefined, after: Mail | undefined): void {
  const { mailsDue, digestsQueued } = derived;
  if (before?.state === 'queued') {
    mailsDue.remove(laneOf(before), dueKey(before));
    if (laneOf(before) === 'bulk') digestsQueued.remove(before.to, before.id);
  }
  if (after?.state === 'queued') {
    mailsDue.add(laneOf(after), dueKey(after));
    if (laneOf(after) === 'bulk') digestsQueued.add(after.to, after.id);
  }
}

export function trackJob(state: State, before: BulkJob | undefined, after: BulkJob | undefined): void {
  const { jobsRunning, jobByHash } = state.derived;
  if (after === undefined) {
    jobsRunning.delete(before!.id);
    if (jobByHash.get(before!.hash) === before!.id) jobByHash.delete(before!.hash);
    return;
  }
  if (after.endedAtMs === undefined) jobsRunning.add(after.id);
  else jobsRunning.delete(after.id);
  // The latest one, in whatever order they are loaded.
  const known = state.tables.job.get(jobByHash.get(after.hash) ?? '');
  if (known === undefined || known.madeAtMs <= after.madeAtMs) jobByHash.set(after.hash, after.id);
}

function trackPending(state: State, kind: PendingKind, id: string, pending: boolean): void {
  state.derived.pending[pending ? 'add' : 'remove'](kind, id);
}

export function isLive(entitlement: Entitlement): boolean {
  return entitlement.state === 'active' || entitlement.state === 'future';
}

export function trackAllocation(state: State, allocation: Allocation): void {
  const { allocationsByUser, allocationsByEntitlement, allocated, holders } = state.derived;
  const id = allocationId(allocation.email, allocation.entitlement);
  const before = state.tables.allocation.get(id)?.quantity ?? 0;
  allocated.add(allocation.entitlement, allocation.quantity - before);
  trackPending(state, 'allocation', id, allocation.quantity > 0 && allocation.revoking !== undefined);
  if (allocation.quantity > 0) {
    state.tables.allocation.set(id, allocation);
    allocationsByUser.add(allocation.email, id);
    holders.add(allocation.email);
    allocationsByEntitlement.add(allocation.entitlement, id);
  } else {
    state.tables.allocation.delete(id);
    allocationsByUser.remove(allocation.email, id);
    if (allocationsByUser.count(allocation.email) === 0) holders.remove(allocation.email);
    allocationsByEntitlement.remove(allocation.entitlement, id);
  }
}

export function trackSeat(state: State, before: Seat | undefined, after: Seat | undefined): void {
  // A seat that lingers from the start has no lease that would say so (load.ts).
  if (before === undefined && after?.linger !== undefined) state.derived.statusBySeat.set(after.id, 'held');
  const status = state.derived.statusBySeat.get((after ?? before)!.id);
  if (before !== undefined) {
    countSeat(state, before, status, -1);
    indexSeat(state, before, 'remove');
    if (after === undefined) state.derived.statusBySeat.delete(before.id);
  }
  if (after !== undefined) {
    countSeat(state, after, status, 1);
    indexSeat(state, after, 'add');
  }
}

export function trackReserve(state: State, before: Reserve | undefined, after: Reserve | undefined): void {
  const { reservesByProduct } = state.derived;
  if (before !== undefined) reservesByProduct.remove(before.product, before.entitlement);
  if (after !== undefined) reservesByProduct.add(after.product, after.entitlement);
}

function indexSeat(state: State, seat: Seat, step: 'add' | 'remove'): void {
  const { seatsByProduct, seatsByUser, seatsByEntitlement, seatsByShareKey } = state.derived;
  const { lingeringByProduct, lingerByLease } = state.derived;
  seatsByProduct[step](seat.product, seat.id);
  seatsByUser[step](seat.email, seat.id);
  seatsByEntitlement[step](seat.entitlement, seat.id);
  const key = seat.linger?.key ?? seat.shareKey;
  if (key !== null) seatsByShareKey[step](key, seat.id);
  indexEarlier(state, seat, step);
  if (seat.linger === undefined) return;
  lingeringByProduct[step](seat.product, seat.id);
  if (step === 'add') lingerByLease.set(seat.linger.lease, seat.id);
  else lingerByLease.delete(seat.linger.lease);
}

function indexEarlier(state: State, seat: Seat, step: 'add' | 'remove'): void {
  if (seat.earlier === undefined) return;
  const { unseen, earlierByEntitlement } = state.derived;
  if (seat.earlier === 'unseen') unseen[step === 'add' ? 'add' : 'delete'](seat.id);
  earlierByEntitlement.add(seat.entitlement, step === 'add' ? seat.count : -seat.count);
}

function countSeat(state: State, seat: Seat, status: SeatStatus | undefined, sign: 1 | -1): void {
  const { usedByEntitlement, sharedUsed, usedByAllocation } = state.derived;
  const count = sign * seat.count;
  usedByEntitlement.add(seat.entitlement, count);
  if (seat.allocation === null) sharedUsed.add(seat.entitlement, count);
  else usedByAllocation.add(seat.allocation, count);
  if (status !== undefined) countStatus(state, seat, status, sign);
}

function countStatus(state: State, seat: Seat, status: SeatStatus, sign: 1 | -1): void {
  const { byStatus, borrowedByEntitlement, borrowedByAllocation } = state.derived;
  const count = sign * seat.count;
  byStatus.add(`${seat.product} ${status}`, count);
  if (status !== 'borrowed') return;
  borrowedByEntitlement.add(seat.entitlement, count);
  if (seat.allocation !== null) borrowedByAllocation.add(seat.allocation, count);
}

export function trackLease(state: State, before: Lease | undefined, after: Lease | undefined): void {
  const { leasesBySeat, leasesByProduct, statusBySeat } = state.derived;
  const { jti, seat: seatId, product } = (after ?? before)!.claims;
  if (after === undefined) leasesBySeat.remove(seatId, jti);
  else leasesBySeat.add(seatId, jti);
  if (after === undefined) leasesByProduct.remove(product, jti);
  else if (before === undefined) leasesByProduct.add(product, jti);
  const seat = state.tables.seat.get(seatId)!;
  const was = statusBySeat.get(seatId);
  const is = seatStatus(state, seatId);
  if (was === is) return;
  if (was !== undefined) countStatus(state, seat, was, -1);
  if (is === undefined) {
    statusBySeat.delete(seatId);
    return;
  }
  countStatus(state, seat, is, 1);
  statusBySeat.set(seatId, is);
}

/** A seat is borrowed while any borrow of it lasts, else in use while any lease is open, else held, lingering too (PRODUCT.md, Words). */
export function seatStatus(state: State, seatId: string): SeatStatus | undefined {
  let status: SeatStatus | undefined =
    state.tables.seat.get(seatId)?.linger === undefined ? undefined : 'held';
  for (const id of state.derived.leasesBySeat.get(seatId)) {
    const lease = state.tables.lease.get(id)!;
    if (lease.claims.kind === 'borrow') return 'borrowed';
    if (lease.state === 'open') status = 'inUse';
    else status ??= 'held';
  }
  return status;
}
