import {
  BORROW_CLOCK_SIGMA_MS,
  BORROW_MAX_SKEW_MS,
  borrowFreeAtMs,
  CLOCK_DRIFT_RHO,
  HEARTBEAT_FRACTION,
  HEARTBEAT_JITTER,
  onlineWindowMs,
  STOP_MS,
} from '@berth/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';

const durationMs = fc.integer({ min: 1, max: 3_600_000 });
const borrowMs = fc.integer({ min: 1000, max: 366 * 86_400_000 });

test('W is the formula of I2, to the millisecond above', () => {
  fc.assert(
    fc.property(durationMs, (d) => {
      const exact = (d * (1 + CLOCK_DRIFT_RHO)) / (1 - CLOCK_DRIFT_RHO) + STOP_MS;
      const w = onlineWindowMs(d);
      expect(Number.isSafeInteger(w)).toBe(true);
      expect(w - exact).toBeGreaterThan(-1e-6);
      expect(w - exact).toBeLessThan(1);
    }),
  );
});

test('I2: a client on the slowest clock has stopped before the server on the fastest frees the seat', () => {
  fc.assert(
    fc.property(durationMs, (d) => {
      const clientStopsMs = d / (1 - CLOCK_DRIFT_RHO) + STOP_MS / (1 + CLOCK_DRIFT_RHO);
      const serverFreesMs = onlineWindowMs(d) / (1 + CLOCK_DRIFT_RHO);
      expect(serverFreesMs).toBeGreaterThanOrEqual(clientStopsMs - 1e-6);
    }),
  );
});

test('I3: the hold covers a clock that is off by sigma/2 at the start and drifts against the other', () => {
  fc.assert(
    fc.property(borrowMs, (length) => {
      const expiresAtMs = 1_788_264_000_000 + length;
      const driftMs = 2 * CLOCK_DRIFT_RHO * length;
      const freeAtMs = borrowFreeAtMs(1_788_264_000_000, expiresAtMs);
      expect(freeAtMs).toBeGreaterThanOrEqual(expiresAtMs + BORROW_MAX_SKEW_MS + driftMs);
      expect(freeAtMs - expiresAtMs - BORROW_CLOCK_SIGMA_MS - driftMs).toBeLessThan(1);
    }),
  );
});

test('a longer right is never freed sooner', () => {
  fc.assert(
    fc.property(durationMs, durationMs, (a, b) => {
      expect(onlineWindowMs(Math.max(a, b))).toBeGreaterThanOrEqual(onlineWindowMs(Math.min(a, b)));
    }),
  );
});

test('the constants of DESIGN I2 and I3', () => {
  expect([CLOCK_DRIFT_RHO, STOP_MS, BORROW_CLOCK_SIGMA_MS, BORROW_MAX_SKEW_MS]).toEqual([
    0.001, 10_000, 900_000, 450_000,
  ]);
  // Even the latest two heartbeats lie inside D: one lost answer costs nothing.
  expect(2 * HEARTBEAT_FRACTION * (1 + HEARTBEAT_JITTER)).toBeLessThan(1);
});
