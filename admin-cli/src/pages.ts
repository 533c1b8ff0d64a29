import { limits } from '@berth/protocol';
import { type List, NOTHING } from './output.js';
import { parseCount } from './parse.js';

/** The options of every list. */
export const pageOptions = {
  limit: { type: 'string', describe: 'at most so many rows; all of them when left out' },
  cursor: { type: 'string', describe: 'continue where an earlier list ended: its `next`' },
} as const;

export interface PageRequest {
  readonly cursor?: string;
  readonly limit?: number;
}

/** What a list asks for, all pages together. */
export interface Paging {
  readonly rows: number;
  readonly cursor: string | null;
}

/** @throws Failure USAGE; call it before a connection is opened. */
export function parsePaging(args: { limit: string | undefined; cursor: string | undefined }): Paging {
  const rows = args.limit === undefined ? mostRows : parseCount(args.limit, '--limit', 1, mostRows);
  return { rows, cursor: args.cursor ?? null };
}

/** Rows one command fetches when nothing is said: far above any site, so that a broken server cannot keep us reading. */
const mostRows = 100_000;

/**
 * Fetches page after page until there is no `next`, or until `--limit` rows are there.
 * @param fetch asks for one page; it must pass the page on to the server.
 */
export async function listPages<T>(
  { rows, cursor }: Paging,
  fetch: (page: PageRequest) => Promise<List<T>>,
): Promise<List<T>> {
  const items: T[] = [];
  let next: string | null = cursor;
  do {
    const limit = Math.min(rows - items.length, limits.pageRows);
    const page: List<T> = await fetch({ limit, ...(next === null ? {} : { cursor: next }) });
    if (page.next === next && next !== null) throw new Error('the server repeats a page of the list');
    items.push(...page.items);
    next = page.next;
  } while (next !== null && items.length < rows);
  return { items, next };
}

/** Said on stderr when a list goes on, and when there is nothing in it. */
export function moreNote(list: List<unknown>, none: string | null = NOTHING): string[] {
  if (list.items.length === 0 && list.next === null && none !== null) return [none];
  return list.next === null ? [] : [`There are more: --cursor ${list.next}`];
}
