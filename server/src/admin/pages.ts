import { limits } from '@berth/protocol';

/** One page of a list, in the order of its keys, and the cursor of the next (`null`: this was the last). */
export interface Page<T> {
  readonly items: T[];
  readonly next: string | null;
}

/** A page ends before its frame would be too long: long names and display data count, not only rows. The rest is the frame around it. */
const PAGE_BYTES = limits.replyBytes - 16 * 1024;

/** Which page: behind `cursor`, or after so many rows. */
export interface PageRequest {
  readonly cursor?: string | undefined;
  readonly limit?: number | undefined;
  readonly descending?: boolean;
  readonly skip?: number;
}

/**
 * Cuts a page. The cursor is the key after which it begins, so that rows that come and go between two pages neither hide nor repeat
 * others.
 * @param cursor as returned in `next`; one that cannot be read starts from the beginning.
 * @param view what the page shows of a row.
 */
export function page<Row, Item>(
  rows: Iterable<Row>,
  keyOf: (row: Row) => string,
  { cursor, limit = limits.pageRows, descending = false, skip = 0 }: PageRequest,
  view: (row: Row) => Item,
): Page<Item> {
  const after = cursor === undefined ? null : Buffer.from(cursor, 'base64url').toString();
  const sign = descending ? -1 : 1;
  const keyed: { key: string; row: Row }[] = [];
  for (const row of rows) {
    const key = keyOf(row);
    if (after === null || (descending ? key < after : key > after)) keyed.push({ key, row });
  }
  keyed.sort((a, b) => (a.key < b.key ? -sign : sign));
  const items: Item[] = [];
  let bytes = 0;
  for (const { row } of keyed.slice(skip, skip + limit)) {
    const item = view(row);
    bytes += Buffer.byteLength(JSON.stringify(item)) + 1;
    if (bytes > PAGE_BYTES && items.length > 0) break;
    items.push(item);
  }
  const last = items.length === 0 ? undefined : keyed[skip + items.length - 1];
  const more = skip + items.length < keyed.length && last !== undefined;
  return { items, next: more ? Buffer.from(last.key).toString('base64url') : null };
}
