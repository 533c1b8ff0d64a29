import { tmpdir } from 'node:os';
import { DiskWatch, freeBytesOf } from '@berth/server/ops/disk';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

const LOW_BYTES = 1000;
const INTERVAL_MS = 2000;

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

/** A watch on a disk whose free space the test sets. */
async function watched(freeBytes: number) {
  const disk = { freeBytes, reads: 0, fail: false };
  const changes: [boolean, number][] = [];
  const errors: unknown[] = [];
  const watch = await DiskWatch.start({
    freeBytes: async () => {
      disk.reads++;
      if (disk.fail) throw new Error('EIO');
      return disk.freeBytes;
    },
    lowBytes: LOW_BYTES,
    intervalMs: INTERVAL_MS,
    onChange: (low, free) => changes.push([low, free]),
    onError: (error) => errors.push(error),
  });
  const next = async (free: number): Promise<boolean> => {
    disk.freeBytes = free;
    await vi.advanceTimersByTimeAsync(INTERVAL_MS);
    return watch.low;
  };
  return { watch, disk, changes, errors, next };
}

describe('the first reading', () => {
  test.each([
    [999, true],
    [1000, false],
    [1001, false],
  ])('%i bytes of 1000: low is %s', async (freeBytes, low) => {
    const { watch, changes } = await watched(freeBytes);
    expect(watch.low).toBe(low);
    expect(changes).toEqual([]);
    watch.stop();
  });

  test('its failure is the failure to start, and leaves no timer', async () => {
    const freeBytes = () => Promise.reject(new Error('ENOENT'));
    await expect(DiskWatch.start({ freeBytes, lowBytes: 1 })).rejects.toThrow('ENOENT');
    expect(vi.getTimerCount()).toBe(0);
  });
});

test('low ends only well above the mark', async () => {
  const { watch, changes, next } = await watched(5000);
  expect(await next(1000)).toBe(false);
  expect(await next(999)).toBe(true);
  expect(await next(1000)).toBe(true);
  expect(await next(1249)).toBe(true);
  expect(await next(1250)).toBe(false);
  expect(await next(1001)).toBe(false);
  expect(changes).toEqual([
    [true, 999],
    [false, 1250],
  ]);
  expect(watch.freeBytes).toBe(1001);
  watch.stop();
});

test('a failing reading keeps the last state and is reported', async () => {
  const { watch, disk, errors, next } = await watched(10);
  disk.fail = true;
  expect(await next(5000)).toBe(true);
  expect(errors).toHaveLength(1);
  disk.fail = false;
  expect(await next(5000)).toBe(false);
  watch.stop();
});

test('a slow disk is not asked again before it answered', async () => {
  let reads = 0;
  let answer: (freeBytes: number) => void = () => {};
  const watch = await DiskWatch.start({
    freeBytes: () => (reads++ === 0 ? Promise.resolve(5000) : new Promise((resolve) => (answer = resolve))),
    lowBytes: LOW_BYTES,
    intervalMs: INTERVAL_MS,
  });
  await vi.advanceTimersByTimeAsync(5 * INTERVAL_MS);
  expect(reads).toBe(2);
  answer(1);
  await vi.advanceTimersByTimeAsync(0);
  expect(watch.low).toBe(true);
  await vi.advanceTimersByTimeAsync(INTERVAL_MS);
  expect(reads).toBe(3);
  watch.stop();
});

test('stop leaves no timer, and a late answer changes nothing', async () => {
  let answer: (freeBytes: number) => void = () => {};
  let first = true;
  const watch = await DiskWatch.start({
    freeBytes: async () => {
      if (!first) return new Promise((resolve) => (answer = resolve));
      first = false;
      return 5000;
    },
    lowBytes: LOW_BYTES,
    intervalMs: INTERVAL_MS,
  });
  await vi.advanceTimersByTimeAsync(INTERVAL_MS);
  watch.stop();
  answer(1);
  await vi.advanceTimersByTimeAsync(0);
  expect(watch.low).toBe(false);
  expect(vi.getTimerCount()).toBe(0);
});

test('the file system answers for a real folder', async () => {
  vi.useRealTimers();
  expect(await freeBytesOf(tmpdir())()).toBeGreaterThan(0);
  await expect(freeBytesOf('/no/such/folder')()).rejects.toThrow('ENOENT');
});
