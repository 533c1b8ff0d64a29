import { steadyClock, systemClock } from '@berth/server/ops/clock';
import { afterEach, expect, test, vi } from 'vitest';

afterEach(() => {
  vi.useRealTimers();
});

test('readings are integer milliseconds', () => {
  for (let reading = 0; reading < 100; reading++) {
    const { monoMs, wallMs } = systemClock.now();
    expect(Number.isInteger(monoMs) && monoMs >= 0).toBe(true);
    expect(Number.isInteger(wallMs)).toBe(true);
  }
});

test('the monotonic clock counts from the start of the process and never goes back', () => {
  const uptimeMs = process.uptime() * 1000;
  let last = systemClock.now().monoMs;
  // Process start and the time origin differ by the boot of Node, or of the worker that runs this test.
  expect(last).toBeLessThanOrEqual(uptimeMs + 1000);
  const start = last;
  while (last < start + 3) {
    const { monoMs } = systemClock.now();
    expect(monoMs).toBeGreaterThanOrEqual(last);
    last = monoMs;
  }
});

test('setting the system clock moves the wall reading only', () => {
  const before = systemClock.now();
  vi.useFakeTimers({ toFake: ['Date'] });
  vi.setSystemTime(before.wallMs - 3_600_000);
  const after = systemClock.now();
  expect(after.wallMs).toBe(before.wallMs - 3_600_000);
  expect(after.monoMs).toBeGreaterThanOrEqual(before.monoMs);
  expect(after.monoMs).toBeLessThan(before.monoMs + 60_000);
});

test('a forward jump is followed at the rate of drift only, after any uptime; a set-back clock at once (I5)', () => {
  const hourMs = 3_600_000;
  let reading = { monoMs: 1000, wallMs: 1_000_000_000 };
  const clock = steadyClock(() => reading);
  expect(clock.now().steadyWallMs).toBe(reading.wallMs);
  for (const uptimeHours of [1, 2400]) {
    const monoMs = 1000 + uptimeHours * hourMs;
    reading = { monoMs, wallMs: 999_999_000 + monoMs + 500 }; // half a second fast: drift
    expect(clock.now().steadyWallMs).toBe(reading.wallMs);
    reading = { monoMs: monoMs + 1000, wallMs: reading.wallMs + 10 * hourMs };
    expect(clock.now().steadyWallMs).toBe(reading.wallMs - 10 * hourMs + 1001);
    reading = { monoMs: monoMs + 2000, wallMs: 999_999_000 + monoMs + 2500 };
    expect(clock.now().steadyWallMs).toBe(reading.wallMs);
  }
});

test('an accepted jump is followed up to what was accepted, and no further (I5)', () => {
  const hourMs = 3_600_000;
  let reading = { monoMs: 0, wallMs: 1_000_000_000 };
  const clock = steadyClock(() => reading);
  reading = { monoMs: 1000, wallMs: 1_000_001_000 + 10 * hourMs };
  const jumped = clock.now();
  expect(jumped.wallMs - jumped.steadyWallMs).toBeGreaterThan(9 * hourMs);
  clock.accept(jumped.wallMs);
  expect(clock.now().steadyWallMs).toBe(jumped.wallMs);
  // A second jump needs a second word.
  reading = { monoMs: 2000, wallMs: reading.wallMs + 5 * hourMs };
  expect(clock.now().steadyWallMs).toBeLessThan(jumped.wallMs + 2000);
});
