import { limits } from '@berth/protocol';
import { Selection } from './selection.js';

/** One page of a list, in the order of its keys, and the cursor of the next (`null`: this was the last). */
export interface Page<T> {
  readonly items: T[];
  readonly next: string | null;
}

/** A page ends before its frame would be too long: long names and display data count, not only rows. The rest is the frame around it. */
const PAGE_BYTES = limits.replyBytes - 16 * 1024;

/** Which page: behind `cursor`, or from the beginning. */
export interface PageRequest {
  readonly cursor?: string | undefined;
  readonly limit?: number | undefined;
  readonly descending?: boolean;
}

/**
 * Cuts a page. The cursor is the key after which it begins, so that rows that come and go between two pages neither hide nor repeat
 * others.
 * @param rows all there are, in any order: for lists of few.
 * @param cursor as returned in `next`; one that cannot be read starts from the beginning.
 * @param view what the page shows of a row.
 */
export function page<Row, Item>(
  rows: Iterable<Row>,
  keyOf: (row: Row) => string,
  { cursor, limit = limits.pageRows, descending = false }: PageRequest,
  view: (row: Row) => Item,
): Page<Item> {
  const after = keyIn(cursor);
  const sign = descending ? -1 : 1;
  const found = new Selection<{ key: string; row: Row }>(limit + 1, (a, b) => sign * inOrder(a.key, b.key));
  for (const row of rows) {
    const key = keyOf(row);
    if (after === null || sign * inOrder(key, after) > 0) found.add({ key, row });
  }
  return cut(
    found.sorted(),
    ({ key }) => key,
    limit,
    ({ row }) => view(row),
  );
}

/**
 * Cuts a page of rows that are in order and behind its cursor already.
 * @param rows one more than `limit`, where there are as many: it says that there is another page.
 * @param view `null` of one that is gone meanwhile: then the page is shorter.
 */
export function cut<Row, Item>(
  rows: Iterable<Row>,
  keyOf: (row: Row) => string,
  limit: number,
  view: (row: Row) => Item | null,
): Page<Item> {
  const items: Item[] = [];
  let [looked, bytes] = [0, 0];
  let last: Row | undefined;
  for (const row of rows) {
    const item = looked < limit ? view(row) : null;
    if (item !== null) bytes += Buffer.byteLength(JSON.stringify(item)) + 1;
    if (looked === limit || (bytes > PAGE_BYTES && items.length > 0))
      return { items, next: cursorOf(keyOf(last!)) };
    if (item !== null) items.push(item);
    looked += 1;
    last = row;
  }
  return { items, next: null };
}

/** The key behind which a page begins; `null`: it is the first, or the cursor cannot be read. */
export function keyIn(cursor: string | undefined): string | null {
  return Buffer.from(cursor ?? '', 'base64url').toString() || null;
}

function cursorOf(key: string): string {
  return Buffer.from(key).toString('base64url');
}

/** By UTF-16 code units, as keys in order are (sorted-keys.ts). */
export function inOrder<T extends string | number>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** What is listed by when it was made; the id keeps those of one moment apart. */
export interface Made {
  readonly madeAtMs: number;
  readonly id: string;
}

export function madeFirst(a: Made, b: Made): number {
  return a.madeAtMs - b.madeAtMs || inOrder(a.id, b.id);
}

export function madeKey({ madeAtMs, id }: Made): string {
  return `${String(madeAtMs).padStart(16, '0')} ${id}`;
}

export function madeIn(cursor: string | undefined): Made | null {
  const [madeAtMs, id] = (keyIn(cursor) ?? '').split(' ');
  return id === undefined || Number.isNaN(Number(madeAtMs)) ? null : { madeAtMs: Number(madeAtMs), id };
}
