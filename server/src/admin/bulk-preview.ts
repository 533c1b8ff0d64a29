import type { BulkCells, BulkJob, BulkRow } from '../domain/bulk.js';
import { decided } from '../domain/decide/bulk.js';
import { evolve } from '../domain/evolve.js';
import { type LoadedRows, loading } from '../domain/load.js';
import type { State, TableName } from '../domain/state.js';
import type { HandlerDeps } from './deps.js';

/** Rows judged between two looks at the sockets, as many as a job decides in one commit. */
const ROWS_AT_ONCE = 50;

/**
 * What would become of rows: each is decided as it would be, on a copy of the state in which those before it have taken effect. The copy goes with
 * the answer, and its queues are never looked at.
 */
export async function previewRows(
  deps: HandlerDeps,
  job: BulkJob,
  cells: readonly BulkCells[],
): Promise<BulkRow[]> {
  const { rows: seen, context } = await deps.engine.ask((state, given) => ({
    rows: rowsOf(state),
    context: given,
  }));
  const { monoMs } = context.now;
  const copy = await copyOf(seen, monoMs);
  const rows: BulkRow[] = [];
  for (const [index, each] of cells.entries()) {
    const { verdict, changes } = decided(copy, job, { cells: each }, context);
    for (const change of changes) evolve(copy, change, monoMs);
    rows.push({ job: job.id, index, cells: each, verdict });
    if (index % ROWS_AT_ONCE === ROWS_AT_ONCE - 1) await nextTurn();
  }
  return rows;
}

/** Mails, jobs and what was spent when play no part, and are of all tables the longest. */
const leftOut: ReadonlySet<TableName> = new Set(['mail', 'job', 'jobRow', 'request', 'creditUse']);

/** All rows at this moment. They are never edited in place: a list of them is a copy, and takes some milliseconds for half a million. */
function rowsOf({ tables }: State): LoadedRows {
  const rows = (Object.keys(tables) as TableName[]).map((name) => {
    const table = tables[name];
    return [name, leftOut.has(name) ? [] : paired([...table.keys()], [...table.values()])];
  });
  return Object.fromEntries(rows) as LoadedRows;
}

function* paired(ids: readonly string[], rows: readonly unknown[]): Generator<readonly [string, unknown]> {
  for (const [at, id] of ids.entries()) yield [id, rows[at]];
}

/** What is derived from them is made anew, in turns: with 100,000 users and as many leases in one it took 600 ms. */
async function copyOf(rows: LoadedRows, monoMs: number): Promise<State> {
  const steps = loading(rows, monoMs);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    await nextTurn();
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
