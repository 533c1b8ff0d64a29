import { Health } from '@berth/server/ops/health';
import { expect, test } from 'vitest';

test('ready only while serving, live until failed', () => {
  const health = new Health();
  expect([health.live, health.ready, health.reason]).toEqual([true, false, 'starting']);
  health.enter('serving');
  expect([health.live, health.ready]).toEqual([true, true]);
  health.enter('draining', 'told to stop');
  expect([health.live, health.ready, health.reason]).toEqual([true, false, 'told to stop']);
});

test('failed is final', () => {
  const health = new Health();
  health.enter('failed', 'fsync: EIO');
  health.enter('serving');
  expect([health.phase, health.live, health.ready, health.reason]).toEqual([
    'failed',
    false,
    false,
    'fsync: EIO',
  ]);
});
