import { KeyedBuckets, TokenBucket } from '@berth/server/transport/token-bucket';
import { describe, expect, it } from 'vitest';

const takeMany = (bucket: TokenBucket, nowMs: number, tries: number) =>
  Array.from({ length: tries }, () => bucket.take(nowMs)).filter(Boolean).length;

describe('a token bucket', () => {
  it('gives its burst at once, then its rate', () => {
    const bucket = new TokenBucket({ perSecond: 10, burst: 5 }, 0);
    expect(takeMany(bucket, 0, 9)).toBe(5);
    expect(takeMany(bucket, 300, 9)).toBe(3);
    expect(takeMany(bucket, 60_000, 9)).toBe(5);
  });

  it('takes nothing when it cannot give all, and nothing for a clock that goes back', () => {
    const bucket = new TokenBucket({ perSecond: 1, burst: 5 }, 1_000);
    expect(bucket.take(1_000, 6)).toBe(false);
    expect(bucket.take(0, 5)).toBe(true);
    expect(bucket.take(0)).toBe(false);
  });
});

describe('buckets by key', () => {
  it('are separate', () => {
    const buckets = new KeyedBuckets({ perSecond: 1, burst: 1 });
    expect([buckets.take('a', 0), buckets.take('a', 0), buckets.take('b', 0)]).toEqual([true, false, true]);
  });

  it('vanish when they are idle', () => {
    const buckets = new KeyedBuckets({ perSecond: 10, burst: 20 });
    for (let i = 0; i < 1000; i++) buckets.take(`key ${i}`, i);
    expect(buckets.size).toBe(1000);
    buckets.take('later', 2_500);
    expect(buckets.size).toBe(500);
    buckets.take('much later', 60_000);
    expect(buckets.size).toBe(1);
  });

  it('stay limited in number', () => {
    const buckets = new KeyedBuckets({ perSecond: 1, burst: 60 });
    for (let i = 0; i < 100_500; i++) buckets.take(`key ${i}`, 0);
    expect(buckets.size).toBe(100_000);
  });
});
