import { expect, test } from 'vitest';
import { namedMoment } from '../../simulation/timeline.js';

test('the history before a violation ends at the moment that it names, not after what it says something took', () => {
  expect(namedMoment('5697933 ms: a handler threw')).toBe(5_697_933);
  expect(namedMoment('I2: lease l1 was ended by record 78, 8576 ms before its window was over')).toBeNull();
  expect(namedMoment('I1: pc1/2 got lease l1 on seat s1 of render at 4711 ms: 2 of 1')).toBe(4711);
});
