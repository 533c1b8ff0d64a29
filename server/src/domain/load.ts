import {
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
import { watchEntitlement, watchLease, watchLinger, watchRelease } from './evolve.js';
import { watchJob } from './evolve-bulk.js';
import { watchMail } from './evolve-mail.js';
import { watchReserve, watchRestore } from './evolve-restore.js';
import { emptyState, type Rows, type State, type TableName } from './state.js';

/** Rows of every table as they come out of a state store. */
export type LoadedRows = { readonly [K in TableName]: ReadonlyMap<string, Rows[K]> };

/**
 * Builds a state from its rows: tables, everything derived, and the queues. Every online lease gets one full window of its own D from now (I4).
 * @param monoMs the monotonic clock of the new process.
 */
export function loadState(rows: LoadedRows, monoMs: number): State {
  const state = emptyState();
  const { tables } = state;
  for (const [id, row] of rows.organisation) tables.organisation.set(id, row);
  for (const [id, row] of rows.user) {
    tables.user.set(id, row);
    trackUser(state, undefined, row);
  }
  loadFormer(state, rows);
  for (const [id, row] of rows.invitation) {
    tables.invitation.set(id, row);
    trackInvitation(state, undefined, row);
  }
  for (const [id, row] of rows.machineToken) tables.machineToken.set(id, row);
  for (const [id, row] of rows.product) tables.product.set(id, row);
  for (const [id, row] of rows.device) {
    tables.device.set(id, row);
    trackDevice(state, undefined, row);
  }
  for (const [id, row] of rows.endorsement) tables.endorsement.set(id, row);
  loadEntitlements(state, rows);
  for (const [id, row] of rows.seat) {
    tables.seat.set(id, row);
    trackSeat(state, undefined, row);
    watchLinger(state, row, monoMs);
  }
  for (const [id, row] of rows.lease) {
    tables.lease.set(id, row);
    trackLease(state, undefined, row);
    watchLease(state, row, monoMs);
    watchRelease(state, row);
  }
  for (const [id, row] of rows.request) {
    tables.request.set(id, row);
    for (const lease of row.leases) state.derived.requestsByLease.set(lease, id);
  }
  watchRequests(state, monoMs);
  for (const [id, row] of rows.mail) {
    tables.mail.set(id, row);
    trackMail(state, undefined, row);
    watchMail(state, row);
  }
  for (const [id, row] of rows.job) {
    tables.job.set(id, row);
    trackJob(state, undefined, row);
    watchJob(state, row);
  }
  for (const [id, row] of rows.jobRow) tables.jobRow.set(id, row);
  loadCredits(state, rows);
  for (const [id, row] of rows.reserve) {
    tables.reserve.set(id, row);
    trackReserve(state, undefined, row);
    watchReserve(state, row);
  }
  watchRestore(state, monoMs);
  for (const table of Object.values(tables)) table.takeDirty();
  return state;
}

/** In the order in which they were removed: the first one is the first to be forgotten. */
function loadFormer(state: State, rows: LoadedRows): void {
  for (const row of [...rows.formerUser.values()].sort((a, b) => a.removed.atMs - b.removed.atMs)) {
    state.tables.formerUser.set(row.email, row);
    trackFormer(state, undefined, row);
  }
}

function loadEntitlements(state: State, rows: LoadedRows): void {
  for (const [id, row] of rows.entitlement) {
    state.tables.entitlement.set(id, row);
    trackEntitlement(state, undefined, row);
    watchEntitlement(state, row);
  }
  for (const row of rows.allocation.values()) trackAllocation(state, row);
}

function loadCredits(state: State, rows: LoadedRows): void {
  const { creditAccess, creditAccount, creditUse, creditRequest } = state.tables;
  for (const [id, row] of rows.creditAccess) {
    creditAccess.set(id, row);
    trackCreditAccess(state, undefined, row);
  }
  for (const [id, row] of rows.creditAccount) creditAccount.set(id, row);
  for (const [id, row] of rows.creditUse) {
    creditUse.set(id, row);
    trackCreditUse(state, undefined, row);
  }
  for (const [id, row] of rows.creditRequest) {
    creditRequest.set(id, row);
    trackCreditRequest(state, row);
  }
}

/** Kept requests whose leases have ended, or that have none, start their time anew (I7). */
function watchRequests(state: State, monoMs: number): void {
  for (const [id, row] of state.tables.request.entries()) {
    if (!row.leases.some((lease) => state.tables.lease.has(lease))) {
      state.monoQueue.push({ atMs: monoMs + row.keptMs, kind: 'request', id });
    }
  }
}
