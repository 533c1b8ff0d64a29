import { createHash } from 'node:crypto';
import { type BulkJobInfo, type BulkRowInfo, dayEndMs, formatMinute, limits } from '@berth/protocol';
import {
  type BulkCells,
  type BulkJob,
  type BulkKind,
  type BulkRow,
  type BulkTaken,
  bulkRowId,
  isWaiting,
  withDuplicates,
} from '../domain/bulk.js';
import { type Denial, deny } from '../domain/commands.js';
import type { State } from '../domain/state.js';
import type { Answer, Caller, Handlers } from '../transport/api.js';
import { previewRows } from './bulk-preview.js';
import { readTable } from './bulk-table.js';
import { BulkUploads } from './bulk-uploads.js';
import type { HandlerDeps } from './deps.js';
import { madeKey, page } from './pages.js';
import { asked } from './request.js';

type BulkHandlers = Pick<Handlers, `bulk.${string}` & keyof Handlers>;

export function bulkHandlers(deps: HandlerDeps): BulkHandlers {
  const uploads = new BulkUploads();
  const nowMs = (): number => deps.clock.now().monoMs;
  return {
    'bulk.put': async ({ upload: id, header, from, rows }, caller) => {
      const upload = uploads.put(caller.deviceId, id, { header, from, rows }, nowMs());
      return 'ok' in upload ? upload : { ok: true, result: { received: upload.rows.length } };
    },
    'bulk.preview': (params, caller) => preview(deps, uploads, params, caller),
    'bulk.apply': (params, caller) => apply(deps, uploads, params, caller),
    'bulk.list': ({ cursor, limit }) =>
      deps.engine.read((state): Answer<'bulk.list'> => {
        const jobs = state.tables.job.values();
        return { ok: true, result: page(jobs, madeKey, { cursor, limit, descending: true }, jobInfo) };
      }),
    'bulk.report': (params) =>
      deps.engine.read((state): Answer<'bulk.report'> => {
        const { id, cursor, limit } = params;
        const job = state.tables.job.get(id);
        if (job === undefined) return deny('JOB_UNKNOWN', undefined, { id });
        const rows = page(rowsOf(state, job, params), keyOf, { cursor, limit }, rowInfo);
        return { ok: true, result: { job: jobInfo(job), ...rows } };
      }),
  };
}

type Params = Parameters<Handlers['bulk.preview']>[0];

async function preview(
  deps: HandlerDeps,
  uploads: BulkUploads,
  params: Params,
  caller: Caller,
): Promise<Answer<'bulk.preview'>> {
  const nowMs = deps.clock.now().monoMs;
  const upload = uploads.get(caller.deviceId, params.upload, nowMs);
  if ('ok' in upload) return upload;
  const { kind, products, expires, pending } = params;
  const asked = JSON.stringify([kind, products, expires, pending]);
  if (params.cursor === undefined || upload.previewed?.asked !== asked) {
    const table = tableOf(uploads, params, caller, nowMs);
    if ('ok' in table) return table;
    const received = upload.rows.length;
    const rows = await previewRows(deps, jobLike(deps, params, caller), table.cells);
    // Rows that came meanwhile are not in it: its further pages would not be of what is there now.
    if (upload.rows.length !== received) return deny('UPLOAD_UNKNOWN');
    upload.previewed = { asked, rows, ignored: table.ignored };
  }
  const { rows, ignored } = upload.previewed;
  const { cursor, limit } = params;
  const count = (is: string): number => rows.filter(({ verdict }) => verdict?.is === is).length;
  const waits = rows.filter(({ verdict }) => isWaiting(verdict)).length;
  const counts = { done: count('done'), unchanged: count('unchanged'), failed: count('failed') };
  const shown = page(rows, keyOf, { cursor, limit }, rowInfo);
  return {
    ok: true,
    result: { ...shown, rows: rows.length, ...counts, ...waiting(waits), ignored: [...ignored] },
  };
}

async function apply(
  deps: HandlerDeps,
  uploads: BulkUploads,
  params: Parameters<Handlers['bulk.apply']>[0],
  caller: Caller,
): Promise<Answer<'bulk.apply'>> {
  const read = tableOf(uploads, params, caller, deps.clock.now().monoMs);
  const { kind, pending = false, again = false } = params;
  // Not refused here: a retry has its answer, although the upload is gone (I7).
  const table = 'ok' in read ? read : { ...read, hash: hashOf(kind, pending, read.cells) };
  const settled = await deps.engine.submit({
    type: 'makeJob',
    ...asked('bulk.apply', params, caller),
    kind,
    table,
    pending,
    again,
    invitationMs: deps.invitationMs,
  });
  if (!settled.ok) return settled;
  const { id, existing, ignored } = settled.outcome;
  return deps.engine.read((state): Answer<'bulk.apply'> => {
    const job = state.tables.job.get(id);
    return job === undefined
      ? deny('JOB_UNKNOWN', undefined, { id })
      : { ok: true, result: { job: jobInfo(job), existing, ignored: [...ignored] } };
  });
}

function tableOf(
  uploads: BulkUploads,
  { upload: id, kind, products, expires }: Params,
  { deviceId }: Caller,
  nowMs: number,
): { cells: BulkCells[]; ignored: string[] } | Denial {
  const upload = uploads.get(deviceId, id, nowMs);
  if ('ok' in upload) return upload;
  if (expires !== undefined && dayEndMs(expires.trim()) === null)
    return deny('DATE_INVALID', `"${expires}" is not a day.`, { expires });
  const table = readTable(kind, upload.header, upload.rows, { products, expires: expires?.trim() });
  return 'ok' in table ? table : { ...table, cells: withDuplicates(kind, table.cells) };
}

/** The same rows are known by what they say, not by where in the file they stand. */
function hashOf(kind: BulkKind, pending: boolean, cells: readonly BulkCells[]): string {
  const hash = createHash('sha256').update(JSON.stringify([kind, pending]));
  for (const { line: _, duplicateOf: __, ...said } of cells) hash.update(JSON.stringify(said));
  return hash.digest('base64url');
}

/** What a job of these would be, for a preview of it. */
function jobLike(deps: HandlerDeps, { kind, pending = false }: Params, caller: Caller): BulkJob {
  const { email: by, deviceId: device } = caller;
  const { invitationMs } = deps;
  return {
    ...{ id: 'j-preview', kind, by, device, madeAtMs: 0, rows: 0, next: 0, done: 0, unchanged: 0, failed: 0 },
    ...{ hash: '', pending, invitationMs },
  };
}

/** The rows of a page, and one more where there is one: a page of a long report costs what it shows. */
function rowsOf(
  state: State,
  job: BulkJob,
  { cursor, limit = limits.pageRows, failures }: Parameters<Handlers['bulk.report']>[0],
): BulkRow[] {
  const after = cursor === undefined ? -1 : Number.parseInt(Buffer.from(cursor, 'base64url').toString(), 10);
  const rows: BulkRow[] = [];
  for (
    let index = (Number.isNaN(after) ? -1 : after) + 1;
    index < job.rows && rows.length <= limit;
    index++
  ) {
    const row = state.tables.jobRow.get(bulkRowId(job.id, index))!;
    if (failures !== true || row.verdict?.is === 'failed') rows.push(row);
  }
  return rows;
}

const keyOf = ({ index }: BulkRow): string => String(index).padStart(6, '0');

function jobInfo(job: BulkJob): BulkJobInfo {
  const { id, kind, by, madeAtMs, endedAtMs, rows, done, unchanged, failed, waits = 0 } = job;
  const ended = endedAtMs === undefined ? {} : { endedAtMs };
  return { id, kind, by, madeAtMs, ...ended, rows, done, unchanged, failed, ...waiting(waits) };
}

const waiting = (waits: number): { waits?: number } => (waits === 0 ? {} : { waits });

function rowInfo({ cells, verdict }: BulkRow): BulkRowInfo {
  const { short: _, long: __, quote: ___, duplicateOf: ____, ...said } = cells;
  if (verdict === undefined) return { ...said, verdict: 'waiting' };
  const { is, ...more } = verdict;
  return { ...said, verdict: is, ...more, ...('code' in more ? {} : waitWords(more)) };
}

/** Nothing has become yet of what waits for a borrow: a report says so, and until when. */
function waitWords({ pending, pendingUntilMs }: BulkTaken): { message?: string } {
  if (pendingUntilMs === undefined) return {};
  const what = pending === undefined ? 'Waits' : pending === 1 ? '1 seat waits' : `${pending} seats wait`;
  return { message: `${what} for the end of a borrow, ${formatMinute(pendingUntilMs)}.` };
}
