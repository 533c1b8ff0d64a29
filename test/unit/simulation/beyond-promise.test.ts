import { expect, test } from 'vitest';
import { isExcused, SERVER } from '../../simulation/beyond-promise.js';
import { planOf } from '../../simulation/plan.js';

const borrowers = ['pc1/2', 'pc3/1'];

test('a computer whose clock went back excuses what rests on its own borrows', () => {
  expect(isExcused({ borrowers }, new Set(['pc3']))).toBe(true);
  expect(isExcused({ borrowers }, new Set(['pc2', 'pc']))).toBe(false);
});

test('the server’s clock excuses what rests on any borrow', () => {
  expect(isExcused({ borrowers }, new Set([SERVER]))).toBe(true);
});

test('nothing excuses what no borrow has a part in, and nobody’s clock nothing at all', () => {
  for (const finding of [{}, { borrowers: [] }])
    expect(isExcused(finding, new Set([SERVER, 'pc1']))).toBe(false);
  expect(isExcused({ borrowers }, new Set())).toBe(false);
});

test('only seeds that end in 9 have such clocks', () => {
  const seeds = Array.from({ length: 200 }, (_, at) => at + 1).filter((seed) => planOf({ seed }).beyond);
  expect(seeds.every((seed) => seed % 10 === 9)).toBe(true);
  expect(seeds.length).toBe(20);
});
