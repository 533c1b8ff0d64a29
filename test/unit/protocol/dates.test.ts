import { dayEndMs, dayStartMs, formatDay, lastDay, Seconds } from '@berth/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';

const dayMs = 86_400_000;

test.each([
  ['1970-01-01', 0],
  ['2026-05-10', 1_778_371_200_000],
  ['2028-02-29', 1_835_395_200_000],
  ['9999-12-31', 253_402_214_400_000],
])('%s begins at %i', (day, ms) => expect(dayStartMs(day)).toBe(ms));

test.each([
  '',
  '2026-5-10',
  '2026-13-01',
  '2026-00-10',
  '2026-02-30',
  '2027-02-29',
  '2026-05-10T00:00:00Z',
  ' 2026-05-10',
  '10-05-2026',
  '2026/05/10',
  '0099-01-01',
  '+010000-01-01',
  '２０２６-05-10',
])('%j is no day', (text) => {
  expect(dayStartMs(text)).toBeNull();
  expect(dayEndMs(text)).toBeNull();
});

test('a day comes back, and its last moment belongs to it', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2_932_896 }), (n) => {
      const day = formatDay(n * dayMs);
      expect(dayStartMs(day)).toBe(n * dayMs);
      expect(dayEndMs(day)).toBe((n + 1) * dayMs);
      expect(formatDay((n + 1) * dayMs - 1)).toBe(day);
      expect(lastDay(dayEndMs(day)!)).toBe(day);
    }),
  );
});

test('any text is a day or none', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^\d{4}-\d{2}-\d{2}$/)), (text) => {
      const ms = dayStartMs(text);
      if (ms !== null) expect(formatDay(ms)).toBe(text);
    }),
  );
});

test('the largest time a token may carry still has a last day', () => {
  const endOfTime = 253_402_300_800;
  expect(Seconds).toMatchObject({ maximum: endOfTime });
  expect(lastDay(endOfTime * 1000)).toBe('9999-12-31');
});
