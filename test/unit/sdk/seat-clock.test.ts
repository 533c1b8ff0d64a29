import {
  borrowRight,
  elapsedMs,
  nextChangeMs,
  onlineRight,
  remainingMs,
  stateOf,
} from '@berth/client/internal';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const at = (monoMs: number, wallMs = monoMs, uptimeMs: number | null = monoMs) => ({
  monoMs,
  wallMs,
  uptimeMs,
});

describe('elapsed time (I2)', () => {
  it.each([
    ['the monotonic clock', at(0), at(10, 0, 0), 10],
    ['the wall clock', at(0), at(0, 10, 0), 10],
    ['the uptime', at(0), at(0, 0, 10), 10],
    ['two clocks where there is no uptime', at(0, 0, null), at(3, 4, null), 4],
    ['no uptime on one side', at(0, 0, null), at(3, 4, 99), 4],
    ['nothing when every clock goes back', at(100), at(50), 0],
  ])('is what %s says', (_name, since, now, elapsed) => {
    expect(elapsedMs(since, now)).toBe(elapsed);
  });
});

describe('the state of rights', () => {
  const right = onlineRight(at(0), 120_000);

  it.each([
    [0, 'held'],
    [59_999, 'held'],
    [60_000, 'grace'],
    [119_999, 'grace'],
    [120_000, 'lost'],
    [9_999_999, 'lost'],
  ])('of an online lease after %i ms is %s', (ms, state) => {
    expect(stateOf([right], at(ms))).toBe(state);
  });

  it('is the worst of several', () => {
    const younger = onlineRight(at(50_000), 120_000);
    expect(stateOf([younger, right], at(60_000))).toBe('grace');
    expect(stateOf([right, younger], at(120_000))).toBe('lost');
  });

  it('of a borrow has no grace, and setting the clock back does not prolong it', () => {
    const borrow = borrowRight(at(0, 1_000_000), 1_060_000);
    expect(stateOf([borrow], at(59_999, 1_059_999))).toBe('held');
    expect(stateOf([borrow], at(60_000, 1_060_000))).toBe('lost');
    expect(stateOf([borrow], at(60_000, 1_000_000))).toBe('lost');
    expect(stateOf([borrow], at(0, 1_060_000, 0))).toBe('lost');
  });

  it('changes by itself exactly when nextChange says', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ since: fc.nat(100_000), d: fc.integer({ min: 2, max: 200_000 }) }), {
          minLength: 1,
          maxLength: 4,
        }),
        fc.nat(100_000),
        (leases, waited) => {
          const rights = leases.map(({ since, d }) => onlineRight(at(since), d));
          const now = 100_000 + waited;
          const state = stateOf(rights, at(now));
          fc.pre(state !== 'lost');
          const change = nextChangeMs(rights, at(now));
          expect(change).toBeGreaterThan(0);
          expect(stateOf(rights, at(now + change - 0.25))).toBe(state);
          expect(remainingMs(rights, at(now))).toBeGreaterThanOrEqual(change);
        },
      ),
    );
  });
});
