import { expect, test } from 'vitest';
import type { Entry } from '../../auditor/history.js';
import { eventsBefore, namedMoment } from '../../simulation/timeline.js';

test('the history before a violation ends at the moment that it names, not after what it says something took', () => {
  expect(namedMoment('5697933 ms: a handler threw')).toBe(5_697_933);
  expect(namedMoment('I2: lease l1 was ended by record 78, 8576 ms before its window was over')).toBeNull();
  expect(namedMoment('I1: pc1/2 got lease l1 on seat s1 of render at 4711 ms: 2 of 1')).toBe(4711);
});

test('it begins with what happened to the leases that the violation names, and the faults near that, however long ago', () => {
  const lease = `l${'0'.repeat(20)}`;
  const pushed = (t: number, id: string): Entry => ({
    ...{ t, wallMs: t, process: 'pc1/1', event: 'pushed', method: 'lease.revoked', lease: id },
  });
  const others = Array.from({ length: 200 }, (_, at) => pushed(100_000 + at, `l${'1'.repeat(20)}`));
  const told = [
    { atMs: 10_000, text: 'a fault of long before' },
    { atMs: 49_000, text: 'the server is killed' },
  ];
  const site = { entries: [pushed(5_000, 'other'), pushed(50_000, lease), ...others], told };
  const { atMs, lines } = eventsBefore(site, `I1: pc1/1 got lease ${lease} at 100199 ms`);
  expect(atMs).toBe(100_199);
  expect(lines.length).toBe(34);
  expect(lines.slice(0, 4)).toEqual([
    '...',
    '49000 ms -- the server is killed',
    expect.stringMatching(new RegExp(`^50000 ms pc1/1 pushed .*${lease}`)),
    '...',
  ]);
  expect(lines.slice(4).every((line) => line.startsWith('100'))).toBe(true);
});
