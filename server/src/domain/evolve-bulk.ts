import { type BulkJob, bulkRowId, isWaiting, jobGoneAtMs } from './bulk.js';
import type { Change } from './changes.js';
import { trackJob } from './derive.js';
import { releaseMails } from './evolve-mail.js';
import type { State } from './state.js';

type BulkChange = Extract<Change, { type: `job.${string}` }>;

/** What becomes of bulk jobs and their rows (evolve.ts). */
export const bulkEvolvers: {
  readonly [T in BulkChange['type']]: (state: State, change: Extract<BulkChange, { type: T }>) => void;
} = {
  'job.made': (state, { job, cells }) => {
    for (const [index, each] of cells.entries())
      state.tables.jobRow.set(bulkRowId(job.id, index), { job: job.id, index, cells: each });
    put(state, job);
    watchJob(state, job);
  },
  'job.row': (state, { job: id, index, verdict }) => {
    const rowId = bulkRowId(id, index);
    const row = state.tables.jobRow.get(rowId);
    if (row === undefined)
      throw new Error(`invariant: a change names row ${index} of ${id}, which does not exist`);
    state.tables.jobRow.set(rowId, { ...row, verdict });
    const job = known(state, id);
    const waits = isWaiting(verdict) ? { waits: (job.waits ?? 0) + 1 } : {};
    put(state, { ...job, next: index + 1, [verdict.is]: job[verdict.is] + 1, ...waits });
  },
  'job.ended': (state, { id, atMs }) => {
    put(state, { ...known(state, id), endedAtMs: atMs });
    releaseMails(state, id, atMs);
  },
  'job.dropped': (state, { id }) => {
    const job = known(state, id);
    for (let index = 0; index < job.rows; index++) state.tables.jobRow.delete(bulkRowId(id, index));
    trackJob(state, job, undefined);
    state.tables.job.delete(id);
  },
};

/** Puts the end of its time on the wall clock. */
export function watchJob(state: State, job: BulkJob): void {
  state.wallQueue.push({ atMs: jobGoneAtMs(job), kind: 'job', id: job.id });
}

function put(state: State, job: BulkJob): void {
  trackJob(state, state.tables.job.get(job.id), job);
  state.tables.job.set(job.id, job);
}

function known(state: State, id: string): BulkJob {
  const job = state.tables.job.get(id);
  if (job === undefined) throw new Error(`invariant: a change names the job ${id}, which does not exist`);
  return job;
}
