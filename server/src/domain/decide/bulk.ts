import { limits, roleAtLeast } from '@berth/protocol';
import { type BulkCells, type BulkJob, type BulkRow, type BulkVerdict, bulkRowId } from '../bulk.js';
import type { Change } from '../changes.js';
import { type Command, type Context, type Decision, deny } from '../commands.js';
import type { State } from '../state.js';
import { judge } from './bulk-row.js';
import { passing } from './denial.js';
import { digested, queued } from './mails.js';
import { roleOf } from './user.js';

/**
 * Makes a job of rows: all of them or none. The same rows again are the job that they are already, unless asked otherwise; what of them was
 * refused to somebody else is a job of those rows for whoever asks now: they may be an owner.
 */
export function makeJob(state: State, command: Command<'makeJob'>, context: Context): Decision<'makeJob'> {
  const { kind, table, by, again, pending, invitationMs } = command;
  if ('ok' in table) return table;
  if (context.diskLow) return deny('DISK_LOW');
  const { hash, ignored } = table;
  const known = state.tables.job.get(state.derived.jobByHash.get(hash) ?? '');
  const refused = known === undefined || known.by === by.email ? [] : refusedRows(state, known);
  if (known !== undefined && !again && refused.length === 0)
    return { ok: true, changes: [], outcome: { id: known.id, existing: true, ignored } };
  const cells = again || refused.length === 0 ? table.cells : refused;
  const running = state.derived.jobsRunning.size;
  if (running >= limits.bulkJobsRunning) return deny('BULK_BUSY', undefined, { running });
  const job: BulkJob = {
    id: context.newId('j'),
    kind,
    by: by.email,
    device: by.device,
    ...(by.from === undefined ? {} : { from: by.from }),
    madeAtMs: context.now.wallMs,
    rows: cells.length,
    next: 0,
    done: 0,
    unchanged: 0,
    failed: 0,
    hash,
    pending,
    invitationMs,
  };
  const changes: Change[] = [{ type: 'job.made', job, cells }];
  // A failures CSV of a job without any has a first line alone. Nothing is to be told of it.
  if (cells.length === 0) changes.push({ type: 'job.ended', id: job.id, atMs: context.now.wallMs });
  return { ok: true, changes, outcome: { id: job.id, existing: false, ignored } };
}

/** Rows of a job that is over which whoever asked for it was not allowed: done ones are never done twice. */
function refusedRows(state: State, { id, rows, failed, endedAtMs }: BulkJob): BulkCells[] {
  if (failed === 0 || endedAtMs === undefined) return [];
  const found: BulkCells[] = [];
  for (let index = 0; index < rows; index++) {
    const { cells, verdict } = state.tables.jobRow.get(bulkRowId(id, index))!;
    if (verdict?.is === 'failed' && verdict.code === 'NOT_ALLOWED') found.push(cells);
  }
  return found;
}

/**
 * Decides the next row of a job; one whose turn is over or has not come is nothing. Behind the last row the job ends: servers until November 2026
 * made jobs of no rows, which stayed open. Refused while only the server itself is in the way: that
 * passes, and a verdict stays.
 */
export function decideRow(
  state: State,
  { job: id, index }: Command<'decideRow'>,
  context: Context,
): Decision<'decideRow'> {
  const job = state.tables.job.get(id);
  if (job === undefined || job.next !== index || job.endedAtMs !== undefined)
    return { ok: true, changes: [], outcome: {} };
  if (index >= job.rows)
    return { ok: true, changes: [{ type: 'job.ended', id, atMs: context.now.wallMs }], outcome: {} };
  const row = state.tables.jobRow.get(bulkRowId(id, index))!;
  const { verdict, changes } = decided(state, job, row, context);
  if (verdict.is === 'failed' && passing.has(verdict.code)) return deny(verdict.code);
  const all: Change[] = [...digested(state, id, changes), { type: 'job.row', job: id, index, verdict }];
  if (index + 1 === job.rows) all.push(...ended(job, verdict, context));
  return { ok: true, changes: all, outcome: {} };
}

/** What one row leads to, with the mails of it. Also asked on a copy of the state, for a preview. */
export function decided(
  state: State,
  job: BulkJob,
  { cells }: Pick<BulkRow, 'cells'>,
  context: Context,
): { verdict: BulkVerdict; changes: readonly Change[] } {
  const own = roleOf(state, job.by);
  if (own === null || !roleAtLeast(own, 'admin')) {
    const message = `${job.by}, who asked for this, may not any more.`;
    return { verdict: { is: 'failed', code: 'NOT_ALLOWED', message }, changes: [] };
  }
  return judge(state, job, cells, context);
}

function ended(job: BulkJob, last: BulkVerdict, context: Context): Change[] {
  const { kind, rows, by, id } = job;
  const count = (is: BulkVerdict['is']): number => job[is] + (last.is === is ? 1 : 0);
  const counts = { done: count('done'), unchanged: count('unchanged'), failed: count('failed') };
  return [
    { type: 'job.ended', id, atMs: context.now.wallMs },
    queued(by, { kind: 'bulk', job: id, bulk: kind, rows, ...counts }, context),
  ];
}
