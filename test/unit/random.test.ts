import { randomId, randomText } from '@berth/server/random';
import { expect, test } from 'vitest';

test('no bytes are given out twice, over many fillings of the pool', () => {
  const ids = Array.from({ length: 2_000 }, () => randomId('l'));
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.filter((id) => !/^l[0-9a-hjkmnp-tv-z]{16}$/.test(id))).toEqual([]);
  // Bytes of one id in another would show as a common run of 8 characters.
  const runs = ids
    .slice(0, 500)
    .flatMap((id) => Array.from({ length: 9 }, (_, at) => id.slice(1 + at, 9 + at)));
  expect(new Set(runs).size).toBe(runs.length);
});

test('of any length, and more than the pool holds', () => {
  for (const bytes of [1, 12, 4_096, 4_097, 10_000])
    expect(Buffer.from(randomText(bytes), 'base64url')).toHaveLength(bytes);
  expect(new Set(Array.from({ length: 50 }, () => randomText(4_096))).size).toBe(50);
});
