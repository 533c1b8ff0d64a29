import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { mutants } from '../mutants/all.js';
import { plant } from '../mutants/copy.js';
import { edited } from '../mutants/mutant.js';
import { root } from '../system/paths.js';
import { plantable } from '../torture/planted.js';

test('every fault fits the code as it is built now, each text exactly once', () => {
  for (const mutant of mutants)
    expect([...plant(root, mutant).keys()].length, mutant.name).toBeGreaterThan(0);
});

test('so does every fault that the torture of real processes plants', () => {
  const dist = join(root, 'server/dist');
  const files = readdirSync(dist, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.js'),
  );
  const code = files.map((name) => readFileSync(join(dist, name), 'utf8')).join('');
  for (const [name, { find }] of Object.entries(plantable)) expect(code.split(find).length - 1, name).toBe(1);
});

test('names are unique, and there are enough of them', () => {
  expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length);
  expect(mutants.length).toBeGreaterThanOrEqual(25);
});

test('a text that is not there, or twice, is an error', () => {
  const edits = (find: string) => [{ file: 'x.js', find, replace: '$& $1' }];
  expect(edited('a b', edits('a'), 'm')).toBe('$& $1 b');
  expect(() => edited('a b', edits('c'), 'm')).toThrow('mutant m: 0 times in x.js');
  expect(() => edited('a a', edits('a'), 'm')).toThrow('mutant m: 2 times in x.js');
});
