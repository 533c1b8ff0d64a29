import { distance, nearest } from '@berth/protocol/nearest';
import { expect, test } from 'vitest';

/** By the definition, without a limit and without a table. */
function plainly(a: string, b: string): number {
  if (a === '' || b === '') return a.length + b.length;
  const change = plainly(a.slice(1), b.slice(1)) + (a[0] === b[0] ? 0 : 1);
  const isSwapped = a.length > 1 && b.length > 1 && a[0] === b[1] && a[1] === b[0];
  const swap = isSwapped ? plainly(a.slice(2), b.slice(2)) + 1 : change;
  return Math.min(change, swap, plainly(a.slice(1), b) + 1, plainly(a, b.slice(1)) + 1);
}

const letters = 'ab';
const words = ['', ...letters];
for (let at = 1; words.length < 31; at++) words.push(...[...letters].map((each) => words[at]! + each));

test('a distance is that of its definition up to the limit, and Infinity above it', () => {
  for (const a of words)
    for (const b of words) {
      const away = plainly(a, b);
      expect(distance(a, b)).toBe(away);
      const limits = [0, 1, 2, 3];
      expect(limits.map((most) => distance(a, b, most))).toEqual(
        limits.map((most) => (away <= most ? away : Number.POSITIVE_INFINITY)),
      );
    }
});

test('of several that are as near the first is meant', () => {
  expect(nearest('abc', ['abd', 'abe'])).toBe('abd');
  expect(nearest('abc', ['xbd', 'abe', 'abc'])).toBe('abc');
});

test('a long word costs no comparison with words that are short', () => {
  const ids = Array.from({ length: 100 }, (_, at) => `product-${at}-`.padEnd(60, 'abcdefgh'));
  expect(cpuMs(() => nearest('q'.repeat(400), ids))).toBeLessThan(100);
});

/** Of fifty calls, the least of three rounds. */
function cpuMs(call: () => unknown): number {
  const rounds = [1, 2, 3].map(() => {
    const before = process.cpuUsage();
    for (let at = 0; at < 50; at++) call();
    const { user } = process.cpuUsage(before);
    return user / 1000;
  });
  return Math.min(...rounds);
}
