import type { BulkCells, BulkJob, BulkRow } from '../domain/bulk.js';
import { decided } from '../domain/decide/bulk.js';
import { evolve } from '../domain/evolve.js';
import { type LoadedRows, loadState } from '../domain/load.js';
import type { State } from '../domain/state.js';
import type { HandlerDeps } from './deps.js';

/** Rows judged between two looks at the sockets. */
const ROWS_AT_ONCE = 100;

/**
 * What would become of rows: each is decided as it would be, on a copy of the state in which those before it have taken effect. The copy goes with
 * the answer, and its queues are never looked at.
 */
export async function previewRows(
  deps: HandlerDeps,
  job: BulkJob,
  cells: readonly BulkCells[],
): Promise<BulkRow[]> {
  const { copy, context } = await deps.engine.ask((state, given) => ({
    copy: copyOf(state, given.now.monoMs),
    context: given,
  }));
  const rows: BulkRow[] = [];
  for (const [index, each] of cells.entries()) {
    const { verdict, changes } = decided(copy, job, { cells: each }, context);
    for (const change of changes) evolve(copy, change, context.now.monoMs);
    rows.push({ job: job.id, index, cells: each, verdict });
    if (index % ROWS_AT_ONCE === ROWS_AT_ONCE - 1) await new Promise((resolve) => setImmediate(resolve));
  }
  return rows;
}

/** Rows are never edited in place, so the tables can be shared; what is derived is made anew. Mails and jobs play no part. */
function copyOf(state: State, monoMs: number): State {
  const rows = Object.fromEntries(
    Object.entries(state.tables).map(([name, table]) => [
      name,
      leftOut.has(name) ? new Map() : new Map<string, unknown>(table.entries()),
    ]),
  ) as unknown as LoadedRows;
  return loadState(rows, monoMs);
}

const leftOut: ReadonlySet<string> = new Set(['mail', 'job', 'jobRow', 'request']);
