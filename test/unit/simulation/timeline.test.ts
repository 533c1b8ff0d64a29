import { expect, test } from 'vitest';
import { numberOf } from '../../asked.js';
import { namedMoment } from '../../simulation/timeline.js';

test('the history before a violation ends at the moment that it names, not after what it says something took', () => {
  expect(namedMoment('5697933 ms: a handler threw')).toBe(5_697_933);
  expect(namedMoment('I2: lease l1 was ended by record 78, 8576 ms before its window was over')).toBeNull();
  expect(namedMoment('I1: pc1/2 got lease l1 on seat s1 of render at 4711 ms: 2 of 1')).toBe(4711);
});

test('a number that a script is given is one within its bounds, or an error that says them', () => {
  const bounds = { least: 1, most: 64 };
  expect(numberOf('jobs', '2', bounds)).toBe(2);
  for (const text of ['0', 'x', '-1', '1.5', '65', ''])
    expect(() => numberOf('jobs', text, bounds)).toThrow('it must be a whole number from 1 to 64');
});
