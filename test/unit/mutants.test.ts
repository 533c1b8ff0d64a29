import { expect, test } from 'vitest';
import { mutants } from '../mutants/all.js';
import { plant } from '../mutants/copy.js';
import { edited } from '../mutants/mutant.js';
import { root } from '../system/paths.js';

test('every fault fits the code as it is built now, each text exactly once', () => {
  for (const mutant of mutants)
    expect([...plant(root, mutant).keys()].length, mutant.name).toBeGreaterThan(0);
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
