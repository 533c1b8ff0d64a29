import type { AdminConnection } from '@berth/client';
import {
  type BulkJobInfo,
  type BulkKind,
  type BulkRowInfo,
  type ErrorCode,
  limits,
  type ParamsOf,
} from '@berth/protocol';
import type { Context, Output } from './context.js';
import { readCsv, type Table, type TableRow, writeCsv } from './csv.js';
import { toFailure } from './fail.js';
import { readText } from './files.js';
import { table } from './output.js';
import { given, optional, parseDay, parseProduct } from './parse.js';
import { mostInputBytes } from './stdio.js';

export const bulkKinds: readonly BulkKind[] = ['invite', 'remove', 'assign', 'revoke', 'credit'];

export const kindPositional = {
  kind: { type: 'string', choices: bulkKinds, demandOption: true, describe: `what each row asks for` },
} as const;

export const bulkOptions = {
  csv: {
    type: 'string',
    demandOption: true,
    describe: `the table, as a spreadsheet saves it, at most ${mostInputBytes / 1024 / 1024} MiB and ${limits.bulkRows} rows; - for stdin`,
  },
  products: { type: 'string', describe: 'for rows that name no product: these, with commas between' },
  expires: { type: 'string', describe: 'for rows that name no day: last day of the entitlement' },
  pending: {
    type: 'boolean',
    default: false,
    describe: 'remove, revoke: what only a borrow forbids waits for its end by itself',
  },
} as const;

export interface BulkArgs {
  readonly csv: string;
  readonly products?: string | undefined;
  readonly expires?: string | undefined;
  readonly pending: boolean;
}

/** What is to be done with a table, read before a connection is opened. */
export async function readBulk(context: Context, kind: BulkKind, args: BulkArgs) {
  const upload = context.sdk.newIdempotencyKey();
  const products = optional(args.products, (text) =>
    text.split(',').map((each) => parseProduct(each.trim().toLowerCase(), '--products')),
  );
  const expires = optional(args.expires, (text) => parseDay(text, '--expires'));
  const asked = given({ upload, kind, products, expires, pending: args.pending || undefined });
  return { asked, rows: readCsv(await readText(context, args.csv), args.csv) };
}

/** How often a table is sent anew before that is said to be of no use: each is another end of the server. */
const MOST_ANEW = 5;

/**
 * Sends a table, and then does with it what is to be done. A server that ended meanwhile has forgotten the rows, and nothing was done with them:
 * they are sent again.
 */
export async function withTable<T>(
  context: Context,
  admin: AdminConnection,
  upload: string,
  rows: Table,
  then: () => Promise<T>,
): Promise<T> {
  for (let anew = 0; ; anew++) {
    try {
      await sendTable(context, admin, upload, rows);
      return await then();
    } catch (error) {
      if (anew === MOST_ANEW || toFailure(error).code !== 'UPLOAD_UNKNOWN') throw error;
    }
  }
}

/** In parts that fit a frame. */
async function sendTable(
  context: Context,
  admin: AdminConnection,
  upload: string,
  table: Table,
): Promise<void> {
  const { header, rows } = table;
  for (let from = 0; from === 0 || from < rows.length; ) {
    const part = partFrom(table, from);
    context.progress.say(`sending row ${from + part.length} of ${rows.length}`);
    await admin.call('bulk.put', { upload, header: fitting(header), from, rows: part });
    if (part.length === 0) return;
    from += part.length;
  }
}

/**
 * As much of a row as the server reads. What is cut off is longer than any cell may be, so that this row fails by itself, with its own reason, and
 * no other one with it.
 */
function fitting(cells: readonly string[]): string[] {
  return cells.slice(0, limits.bulkColumns).map((cell) => cell.slice(0, limits.bulkCellChars));
}

/** A server that knows nothing of wrong quotes must not take such a row for a good one: there it has a cell too many. */
function sent(header: Table['header'], { line, cells, quote }: TableRow): SentRow {
  if (quote === undefined) return { line, cells: fitting(cells) };
  const missing = Array.from({ length: Math.max(0, header.length - cells.length) }, () => '');
  return { line, cells: fitting([...cells, ...missing, '"']), quote: { ...quote } };
}

/** What is around the rows of a frame. */
const FRAME_CHARS = 4 * 1024;

type SentRow = ParamsOf<'bulk.put'>['rows'][number];

function partFrom({ header, rows }: Table, from: number): SentRow[] {
  const part: SentRow[] = [];
  let bytes = FRAME_CHARS;
  for (const each of rows.slice(from, from + limits.bulkRowsPerPut)) {
    const row = sent(header, each);
    bytes += Buffer.byteLength(JSON.stringify(row)) + 1;
    if (bytes > limits.requestBytes && part.length > 0) break;
    part.push(row);
  }
  return part;
}

/** Rows for people: what each asked for and what became of it. */
export function rowTable(kind: BulkKind, rows: readonly BulkRowInfo[], screen: Output): string {
  const said = columns[kind].map((column) => ({
    title: column.toUpperCase(),
    cell: (row: BulkRowInfo) => cellOf(kind, row, column),
    // Whose row it is and why it failed come before what was asked for.
    ...(column === 'product' ? { weight: 'reference' as const } : {}),
  }));
  const takes = { title: 'TAKES', weight: 'high', cell: ({ seats }: BulkRowInfo) => seats ?? '' } as const;
  return table(
    rows,
    [
      { title: 'LINE', cell: (row) => row.line },
      ...said,
      ...(kind === 'revoke' ? [takes] : []),
      { title: 'VERDICT', weight: 'id', cell: (row) => row.code ?? outcomeOf(row) },
      { title: 'REASON', weight: 'high', cell: (row) => row.message ?? '' },
    ],
    screen,
  );
}

const columns = {
  invite: ['email', 'name', 'role'],
  remove: ['email'],
  assign: ['email', 'product', 'quantity', 'expires'],
  revoke: ['email', 'product', 'quantity', 'expires'],
  credit: ['email', 'limit', 'per'],
} as const satisfies Record<BulkKind, readonly (keyof BulkRowInfo)[]>;

/** A row that is done has not taken effect where it waits for a borrow. */
function outcomeOf({ verdict, pendingUntilMs }: BulkRowInfo): string {
  return pendingUntilMs === undefined ? verdict : 'waits';
}

/** As it was typed; of a revoke the default is said, for it is all. What is missing in a row that was cut nobody knows. */
function cellOf(kind: BulkKind, row: BulkRowInfo, column: (typeof columns)[BulkKind][number]): string {
  const isAll = kind === 'revoke' && column === 'quantity' && !cut.has(row.code ?? '');
  return row[column] ?? (isAll ? 'all' : '');
}

/** The columns that a kind reads, as `berth bulk template` says them. */
export const columnsOf = (kind: BulkKind): readonly (keyof BulkRowInfo)[] => columns[kind];

/** Nobody knows of a row that was refused for one of these which cells it has. */
const cut: ReadonlySet<string> = new Set(['ROW_SHORT', 'QUOTE_STRAY', 'QUOTE_OPEN'] satisfies ErrorCode[]);

/**
 * What ends a row so that it is refused again until somebody has mended it: filled up, or with its quotes as a table writes them, it would be another row,
 * and a good one. One that was too short stays so, by its last cell; the others have all that was read, and a cell too many.
 */
function lastCells({ code = '', line }: BulkRowInfo): string[] {
  if (code === 'ROW_SHORT') return [];
  return code === 'ROW_LONG' || cut.has(code) ? [String(line), '?'] : [String(line)];
}

/** Rows as a table that can be edited and applied; the columns that are added are read by nobody. */
export function rowCsv(kind: BulkKind, rows: readonly BulkRowInfo[]): string {
  const takes = kind === 'revoke';
  const header = [...columns[kind], ...(takes ? ['takes'] : []), 'verdict', 'code', 'reason', 'line'];
  return writeCsv(
    header,
    rows.map((row) => {
      const said = columns[kind].map((column) => cellOf(kind, row, column));
      if (takes) said.push(String(row.seats ?? ''));
      return [...said, outcomeOf(row), row.code ?? '', row.message ?? '', ...lastCells(row)];
    }),
  );
}

export function countWords({
  rows,
  done,
  unchanged,
  failed,
  waits = 0,
}: Pick<BulkJobInfo, 'rows' | 'done' | 'unchanged' | 'failed' | 'waits'>): string {
  const words = `${done} done, ${unchanged} unchanged, ${failed} failed, of ${rows}`;
  return waits === 0
    ? words
    : `${words}; ${waits} ${waits === 1 ? 'waits' : 'wait'} for the end of a borrow and ${waits === 1 ? 'takes' : 'take'} effect then`;
}
