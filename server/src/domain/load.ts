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
import { emptyState, type FormerUser, type Rows, type State, type TableName } from './state.js';
import type { Table } from './table.js';

/** Rows of every table by id, as they come out of a state store. */
export type LoadedRows = { readonly [K in TableName]: Iterable<readonly [string, Rows[K]]> };

/**
 * Builds a state from its rows: tables, everything derived, and the queues. Every online lease gets one full window of its own D from now (I4).
 * @param monoMs the monotonic clock of the new process.
 */
export function loadState(rows: LoadedRows, monoMs: number): State {
  const steps = loading(rows, monoMs);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** Rows of one step: a millisecond or less. */
const STEP_ROWS = 512;

/** As `loadState`, step by step, for whoever has others to serve meanwhile. */
export function* loading(rows: LoadedRows, monoMs: number): Generator<void, State> {
  const state = emptyState();
  let left = STEP_ROWS;
  for (const name of Object.keys(loaders) as TableName[]) {
    for (const [id, row] of inOrder(name, rows[name])) {
      // An allocation is put there by what it means, which looks at the one before.
      if (name !== 'allocation') (state.tables[name] as Table<unknown>).set(id, row);
      (loaders[name] as Loader<unknown>)(state, row, { id, monoMs });
      left -= 1;
      if (left > 0) continue;
      left = STEP_ROWS;
      yield;
    }
  }
  watchRestore(state, monoMs);
  for (const table of Object.values(state.tables)) table.takeDirty();
  return state;
}

/** Those who were removed in the order in which they were: the first one is the first to be forgotten. */
function inOrder(
  name: TableName,
  rows: Iterable<readonly [string, unknown]>,
): Iterable<readonly [string, unknown]> {
  if (name !== 'formerUser') return rows;
  const atMs = (row: unknown): number => (row as FormerUser).removed.atMs;
  return [...rows].sort(([, a], [, b]) => atMs(a) - atMs(b));
}

/** What a row means for all that is not its table. */
type Loader<Row> = (state: State, row: Row, at: { readonly id: string; readonly monoMs: number }) => void;

/** In the order in which tables are loaded: some look at rows of those before. */
const loaders: { readonly [K in TableName]: Loader<Rows[K]> } = {
  organisation: () => {},
  user: (state, row) => trackUser(state, undefined, row),
  formerUser: (state, row) => trackFormer(state, undefined, row),
  invitation: (state, row) => trackInvitation(state, undefined, row),
  machineToken: () => {},
  product: () => {},
  device: (state, row) => trackDevice(state, undefined, row),
  endorsement: () => {},
  entitlement: (state, row) => {
    trackEntitlement(state, undefined, row);
    watchEntitlement(state, row);
  },
  allocation: (state, row) => trackAllocation(state, row),
  seat: (state, row, { monoMs }) => {
    trackSeat(state, undefined, row);
    watchLinger(state, row, monoMs);
  },
  lease: (state, row, { monoMs }) => {
    trackLease(state, undefined, row);
    watchLease(state, row, monoMs);
    watchRelease(state, row);
  },
  request: (state, { leases, keptMs }, { id, monoMs }) => {
    for (const lease of leases) state.derived.requestsByLease.set(lease, id);
    // Kept requests whose leases have ended, or that have none, start their time anew (I7).
    if (!leases.some((lease) => state.tables.lease.has(lease)))
      state.monoQueue.push({ atMs: monoMs + keptMs, kind: 'request', id });
  },
  mail: (state, row) => {
    trackMail(state, undefined, row);
    watchMail(state, row);
  },
  job: (state, row) => {
    trackJob(state, undefined, row);
    watchJob(state, row);
  },
  jobRow: () => {},
  creditAccess: (state, row) => trackCreditAccess(state, undefined, row),
  creditAccount: () => {},
  creditUse: (state, row) => trackCreditUse(state, undefined, row),
  creditRequest: (state, row) => trackCreditRequest(state, row),
  reserve: (state, row) => {
    trackReserve(state, undefined, row);
    watchReserve(state, row);
  },
};
