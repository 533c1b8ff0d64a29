import { limits } from '@berth/protocol';
import { nearest } from '@berth/protocol/nearest';
import { type BulkCells, type BulkKind, unreadable } from '../domain/bulk.js';
import { type Denial, deny } from '../domain/commands.js';

type Column = Exclude<keyof BulkCells, 'line' | 'short' | 'long' | 'quote' | 'duplicateOf'>;

/** What the columns of a kind are called, the needed ones first. Others in a file are not read. */
export const columnsOf: { readonly [K in BulkKind]: readonly Column[] } = {
  invite: ['email', 'name', 'role'],
  remove: ['email'],
  assign: ['email', 'product', 'quantity', 'expires'],
  revoke: ['email', 'product', 'quantity', 'expires'],
  credit: ['email', 'limit', 'per'],
};

const columnNames: ReadonlySet<string> = new Set(Object.values(columnsOf).flat());

/** As people write them. */
export const spellings: Readonly<Record<string, Column>> = {
  'e-mail': 'email',
  mail: 'email',
  'e-mail address': 'email',
  'email address': 'email',
  user: 'email',
  'expiration date': 'expires',
  expiry: 'expires',
  seats: 'quantity',
  qty: 'quantity',
  credits: 'limit',
  'credit limit': 'limit',
  period: 'per',
};

export interface RawRow {
  /** Of the file, from 1. */
  readonly line: number;
  readonly cells: readonly string[];
  readonly quote?: BulkCells['quote'];
}

export interface Defaults {
  readonly products?: readonly string[] | undefined;
  readonly expires?: string | undefined;
}

/** The rows of a table as its kind reads them. */
export function readTable(
  kind: BulkKind,
  padded: readonly string[],
  rows: readonly RawRow[],
  defaults: Defaults,
): { cells: BulkCells[]; ignored: string[] } | Denial {
  // Spreadsheets fill lines up to the longest: that one has a cell too many, and is not made a good one by titles of nothing.
  const header = padded.slice(0, padded.findLastIndex((title) => title.trim() !== '') + 1);
  const titles = header.map(columnCalled);
  const known = columnsOf[kind];
  const twice = known.find((column) => titles.filter((title) => title === column).length > 1);
  if (twice !== undefined) return badHeader(kind, header, `The column "${twice}" is there twice`);
  const address = header.find((title) => /\S@\S/.test(title));
  if (address !== undefined)
    return badHeader(
      kind,
      header,
      `"${address.trim().slice(0, 60)}" is no column but an address, and this line a row`,
    );
  const meant = header.map((title) => meantColumn(title, kind, titles));
  const isNamed = namesEmail(header, titles);
  if (!isNamed && !meant.includes('email')) return badHeader(kind, header, 'No column is called "email"');
  const at = meant.findIndex((column) => (isNamed ? column !== undefined : column === 'email'));
  if (at >= 0) return mistyped(kind, header, header[at]!, meant[at]!);
  const ignored = header.filter((_, at) => !known.includes(titles[at] as Column));
  const cells: BulkCells[] = [];
  for (const row of rows) {
    cells.push(...withProducts(kind, readRow(row, titles, known), defaults));
    if (cells.length > limits.bulkRows) return tooMany(defaults);
  }
  return { cells, ignored: ignored.map((title) => title.trim()).filter((title) => title !== '') };
}

/** The rows of the file are few enough, but each is one for every product. */
function tooMany({ products = [] }: Defaults): Denial {
  const message = `With ${products.length} products these rows are more than the ${limits.bulkRows} of one job.`;
  return deny('BULK_TOO_LARGE', message, { rows: limits.bulkRows });
}

/** `Email ` and `E-mail` are `email`. */
function columnCalled(title: string): string {
  const plain = title.trim().toLowerCase();
  return spellings[plain] ?? plain;
}

/** `user` is what a cell may say as well, as a role: alone among words that name nothing, this is a row. */
function namesEmail(header: readonly string[], titles: readonly string[]): boolean {
  const at = titles.indexOf('email');
  if (at <= 0 || header[at]!.trim().toLowerCase() !== 'user') return at >= 0;
  return titles.some((title) => title !== 'email' && columnNames.has(title));
}

function badHeader(kind: BulkKind, header: readonly string[], why: string): Denial {
  const found = header.map((title) => `"${title.trim().slice(0, 40)}"`).join(', ');
  const message = `The first line has to name the columns, "email" among them. ${why}: ${found}.`;
  return deny('HEADER_INVALID', message, { expected: columnsOf[kind], found: header.slice(0, 20) });
}

/** Left out it would be a column that is not read, and its cells would take their defaults without a word. */
function mistyped(kind: BulkKind, header: readonly string[], title: string, column: Column): Denial {
  const written = title.trim().slice(0, 40);
  const next = `Call it "${column}", or something else where it is another column that is not to be read.`;
  const message = `There is no column "${written}": did you mean "${column}"?`;
  return deny('HEADER_INVALID', message, { expected: columnsOf[kind], found: header.slice(0, 20) }, next);
}

/** The column of this kind that a title was probably meant to be, where the table has it under no other title. */
function meantColumn(title: string, kind: BulkKind, titles: readonly string[]): Column | undefined {
  const word = title.trim().toLowerCase();
  const missing = columnsOf[kind].filter((column) => !titles.includes(column));
  if (columnNames.has(columnCalled(word)) || !missing.length) return undefined;
  const names = [...missing, ...Object.keys(spellings).filter((name) => missing.includes(spellings[name]!))];
  const near = nearest(word, names, mostAway);
  return near === undefined ? undefined : (spellings[near] ?? (near as Column));
}

/** Short names are near to words of their own: `per` to `pet`, `name` to `game` as well, which is worth a question. */
const mostAway = (name: string): number => (name.length < 4 ? 0 : name.length < 7 ? 1 : 2);

function readRow(
  { line, cells, quote }: RawRow,
  titles: readonly string[],
  known: readonly Column[],
): BulkCells {
  const row: { [K in Column]?: string } = {};
  for (const [at, title] of titles.entries()) {
    const column = known.find((each) => each === title);
    const cell = withoutGuard(cells[at]?.trim() ?? '');
    if (column !== undefined && cell !== '') row[column] = cell;
  }
  if (quote !== undefined) return { line, email: '', ...row, long: true, quote };
  // A missing cell is not an empty one: the row was cut, and nobody knows where.
  const short = cells.length < titles.length;
  // A cell too many moves those behind it: which one it is nobody knows. Spreadsheets write empty ones at the end.
  const long = cells.slice(titles.length).some((cell) => cell.trim() !== '');
  return { line, email: '', ...row, ...(short ? { short } : {}), ...(long ? { long } : {}) };
}

/** The apostrophe that a table of ours has before what a spreadsheet would run is no part of the cell: it is judged as it was. */
function withoutGuard(cell: string): string {
  return /^'[=+\-@\uff1d\uff0b\uff0d\uff20]/.test(cell) ? cell.slice(1) : cell;
}

/** A row without a product is one for each of those that were asked for. */
function withProducts(kind: BulkKind, row: BulkCells, { products, expires }: Defaults): BulkCells[] {
  if (kind !== 'assign' && kind !== 'revoke') return [row];
  const dated = row.expires !== undefined || expires === undefined ? row : { ...row, expires };
  if (row.product !== undefined || products === undefined || unreadable(row)) return [dated];
  return [...new Set(products)].map((product) => ({ ...dated, product }));
}
