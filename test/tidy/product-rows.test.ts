import { expect, test } from 'vitest';
import { allFiles, read } from './sources.js';

// Issue 5: a system test for each row of the table "What it does" of PRODUCT.md, through the real `berth` against a real `berthd`, named after the
// row. Where each of them is:
const rows: Readonly<Record<string, string>> = {
  organisation: 'members',
  subscriptions: 'subscriptions',
  'invite users': 'members',
  'remove users': 'members',
  'find users': 'members',
  assign: 'allocations',
  "user's own view": 'members',
  revoke: 'admin',
  'offline block': 'allocations',
  'shared pool': 'sharing',
  'centralized server': 'admin',
  'bulk assign / revoke': 'bulk',
  notifications: 'mail',
  credits: 'credits',
};

/** The names of the tests and groups of tests of a file. */
function titles(text: string): string[] {
  return [...text.matchAll(/\b(?:test|describe)\((['"])(.+?)\1,/g)].map(([, , title]) => title!);
}

test.each(Object.entries(rows))('the row "%s" has a system test of its name', (row, file) => {
  const path = `test/system/${file}.test.ts`;
  expect(allFiles).toContain(path);
  const named = titles(read(path)).filter(
    (title) => title === row || (/^[,:]/.test(title.slice(row.length)) && title.startsWith(row)),
  );
  expect(named.length, `in ${path}`).toBeGreaterThan(0);
});

test('the titles are what is compared', () => {
  expect(titles("describe('credits: x', () => {\n  test(\"user's own view: y\", async () => {")).toEqual([
    'credits: x',
    "user's own view: y",
  ]);
});
