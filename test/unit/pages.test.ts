import { limits } from '@berth/protocol';
import { page } from '@berth/server/admin/pages';
import { expect, test } from 'vitest';

const keyOf = (row: string): string => row;
const names = Array.from({ length: 250 }, (_, i) => `user-${String(i).padStart(3, '0')}`);

function all<T>(rows: readonly string[], view: (row: string) => T, limit?: number): T[][] {
  const pages: T[][] = [];
  let cursor: string | undefined;
  do {
    const { items, next } = page(rows, keyOf, { cursor, limit }, view);
    pages.push(items);
    cursor = next ?? undefined;
  } while (cursor !== undefined);
  return pages;
}

test('pages follow each other without a gap or a repetition, in order', () => {
  const pages = all([...names].reverse(), keyOf, 100);
  expect(pages.map(({ length }) => length)).toEqual([100, 100, 50]);
  expect(pages.flat()).toEqual(names);
});

test('a page ends before its frame is too long, but never without a row', () => {
  const pages = all(names.slice(0, 100), () => 'x'.repeat(4000));
  expect(pages.length).toBeGreaterThan(1);
  for (const items of pages) expect(JSON.stringify(items).length).toBeLessThan(limits.replyBytes);
  expect(pages.flat()).toHaveLength(100);
  expect(page(['a', 'b'], keyOf, {}, () => 'x'.repeat(limits.replyBytes)).items).toHaveLength(1);
});

test('rows that come and go between two pages neither hide nor repeat others', () => {
  const first = page(names, keyOf, { limit: 2 }, keyOf);
  const later = names.filter((name) => name !== 'user-001');
  expect(page(later, keyOf, { cursor: first.next!, limit: 2 }, keyOf).items).toEqual([
    'user-002',
    'user-003',
  ]);
});

test('a cursor that cannot be read starts from the beginning', () => {
  expect(page(names, keyOf, { cursor: '', limit: 1 }, keyOf).items).toEqual(['user-000']);
});
