import { expect, test } from 'vitest';
import { rowOf } from '../../bench/report.js';
import { percentile, rounded, spreadOf } from '../../bench/statistics.js';

test('the median of runs, with the least and the most', () => {
  expect(spreadOf([30, 10, 20])).toEqual({ median: 20, min: 10, max: 30 });
  expect(spreadOf([4, 1, 3, 2]), 'the lower one in the middle').toEqual({ median: 2, min: 1, max: 4 });
  expect(() => spreadOf([])).toThrow(RangeError);
});

test('a percentile is a value that was measured', () => {
  const hundred = Array.from({ length: 100 }, (_, at) => 100 - at);
  expect(percentile(hundred, 0.5)).toBe(50);
  expect(percentile(hundred, 0.99)).toBe(99);
  expect(percentile(hundred, 1)).toBe(100);
  expect(percentile([7], 0.99)).toBe(7);
  expect(percentile([9, 10, 100], 0.5), 'sorted as numbers, not as text').toBe(10);
  expect(() => percentile([], 0.5)).toThrow(RangeError);
});

test('three digits count', () => {
  expect([rounded(0.12345), rounded(98_765), rounded(5)]).toEqual([0.123, 98_800, 5]);
});

test('a row has the names of the contract, and the parts of the bare loop run by run', () => {
  const run = (operations: number, serverCpuNs: number) => ({
    ...{ operations, ms: 500, serverCpuNs, p50Ms: 1, p99Ms: 2, verified: 0, rssMiB: 80 },
  });
  const title = { suite: 'checkout', case: 'a seat', connections: 32 };
  const runs = [run(1000, 3e8), run(2000, 4e8), run(3000, 3e8)];
  const row = rowOf(title, runs, {
    title: { suite: 'limit', case: 'append and sign', connections: 32 },
    runs: [run(2000, 2e8), run(4000, 4e8), run(4000, 4e8)],
  });
  expect(row).toMatchObject({
    ...title,
    ...{ opsPerSec: 4000, p50Ms: 1, p99Ms: 2, serverCpuUsPerOp: 200, rssMiB: 80 },
    ...{ opsPerSecMinMax: [2000, 6000], serverCpuUsPerOpMinMax: [100, 300] },
    // 1000/2000, 2000/4000, 3000/4000; and 300/100, 200/100, 100/100.
    ofLimit: {
      ...{ opsPerSec: 0.5, serverCpuUsPerOp: 2 },
      bare: {
        ...{ suite: 'limit', case: 'append and sign', connections: 32 },
        ...{ opsPerSec: 8000, serverCpuUsPerOp: 100 },
      },
    },
  });
});

test('the median lies within the least and the most, however many digits it has', () => {
  const run = (operations: number) => ({
    ...{ operations, ms: 1000, serverCpuNs: 1e9, p50Ms: 1, p99Ms: 2, verified: 0, rssMiB: 80 },
  });
  const { opsPerSec, opsPerSecMinMax } = rowOf({ suite: 'a', case: 'b', connections: 1 }, [run(12_346)]);
  expect([opsPerSec, ...opsPerSecMinMax]).toEqual([12_300, 12_300, 12_300]);
  const slow = rowOf({ suite: 'a', case: 'b', connections: 1 }, [{ ...run(1), ms: 11_843_210 }]);
  expect([slow.opsPerSec, ...slow.opsPerSecMinMax]).toEqual([0.0000844, 0.0000844, 0.0000844]);
});
