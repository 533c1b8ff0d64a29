import { createMetrics, type PoolReading } from '@berth/server/ops/metrics';
import { describe, expect, test } from 'vitest';

const PAINT: PoolReading = {
  product: 'acme/paint',
  owned: 10,
  allocated: 4,
  shared: 6,
  inUse: 3,
  borrowed: 1,
  held: 2,
  free: 4,
  over: 0,
};

/** Sample lines of the metrics that start with `berth_`, by name and labels. */
async function samples(metrics: ReturnType<typeof createMetrics>): Promise<Map<string, number>> {
  const { body } = await metrics.render();
  const lines = body.split('\n').filter((line) => line.startsWith('berth_'));
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]));
}

test('seats are read at each scrape, and gone products disappear', async () => {
  let pools: PoolReading[] = [PAINT];
  const metrics = createMetrics(() => pools);
  const first = await samples(metrics);
  for (const state of [
    'owned',
    'allocated',
    'shared',
    'inUse',
    'borrowed',
    'held',
    'free',
    'over',
  ] as const) {
    expect(first.get(`berth_seats{product="acme/paint",state="${state}"}`)).toBe(PAINT[state]);
  }
  pools = [{ ...PAINT, inUse: 5 }];
  expect((await samples(metrics)).get('berth_seats{product="acme/paint",state="inUse"}')).toBe(5);
  pools = [];
  expect([...(await samples(metrics)).keys()].filter((name) => name.startsWith('berth_seats'))).toEqual([]);
});

test('counters, sessions and commits', async () => {
  const metrics = createMetrics(() => [PAINT]);
  metrics.checkout('acme/paint', 'granted');
  metrics.checkout('acme/paint', 'granted');
  metrics.checkout('acme/paint', 'denied');
  metrics.denial('acme/paint', 'NO_SEAT');
  metrics.request('lease.checkout');
  metrics.sessionOpened();
  metrics.sessionOpened();
  metrics.sessionClosed();
  metrics.commit(0.0003, 7);
  metrics.commit(0.02, 1);
  metrics.journalSeq(42);
  const now = await samples(metrics);
  expect(now.get('berth_checkouts_total{product="acme/paint",outcome="granted"}')).toBe(2);
  expect(now.get('berth_checkouts_total{product="acme/paint",outcome="denied"}')).toBe(1);
  expect(now.get('berth_denials_total{product="acme/paint",rule="NO_SEAT"}')).toBe(1);
  expect(now.get('berth_requests_total{method="lease.checkout"}')).toBe(1);
  expect(now.get('berth_sessions')).toBe(1);
  expect(now.get('berth_commit_seconds_bucket{le="0.0005"}')).toBe(1);
  expect(now.get('berth_commit_seconds_count')).toBe(2);
  expect(now.get('berth_commit_changes_sum')).toBe(8);
  expect(now.get('berth_journal_seq')).toBe(42);
});

describe('label values are bounded', () => {
  test('an unknown product, and a method the protocol does not have, count as other', async () => {
    const metrics = createMetrics(() => [PAINT]);
    for (let index = 0; index < 5000; index++) {
      metrics.checkout(`made/up${index}`, 'denied');
      metrics.denial(`made/up${index}`, 'NO_SUCH_PRODUCT');
      metrics.request(`made.up${index}`);
    }
    metrics.request('__proto__');
    const now = await samples(metrics);
    expect(now.get('berth_checkouts_total{product="other",outcome="denied"}')).toBe(5000);
    expect(now.get('berth_denials_total{product="other",rule="NO_SUCH_PRODUCT"}')).toBe(5000);
    expect(now.get('berth_requests_total{method="other"}')).toBe(5001);
    expect([...now.keys()].filter((name) => name.includes('made'))).toEqual([]);
  });

  test('made-up products do not cost a reading of the pools each', () => {
    let readings = 0;
    const metrics = createMetrics(() => {
      readings++;
      return [PAINT];
    });
    for (let index = 0; index < 5000; index++) metrics.denial(`made/up${index}`, 'NO_SUCH_PRODUCT');
    expect(readings).toBeLessThanOrEqual(100);
  });

  test('a product that is new since the last look has its own label at once', async () => {
    const pools = [PAINT];
    const metrics = createMetrics(() => pools);
    await metrics.render();
    pools.push({ ...PAINT, product: 'acme/model' });
    metrics.checkout('acme/model', 'granted');
    const now = await samples(metrics);
    expect(now.get('berth_checkouts_total{product="acme/model",outcome="granted"}')).toBe(1);
  });

  test('products beyond the limit are summed, with one reading a scrape', async () => {
    let readings = 0;
    const pools = Array.from({ length: 700 }, (_, index) => ({ ...PAINT, product: `acme/p${index}` }));
    const metrics = createMetrics(() => {
      readings++;
      return pools;
    });
    const now = await samples(metrics);
    expect(now.get('berth_seats{product="other",state="owned"}')).toBe(200 * PAINT.owned);
    expect([...now.keys()].filter((name) => name.startsWith('berth_seats'))).toHaveLength(501 * 8);
    expect(readings).toBe(1);
  });

  test('rules built from input end in other', async () => {
    const metrics = createMetrics(() => [PAINT]);
    for (let index = 0; index < 1000; index++) metrics.denial('acme/paint', `RULE_${index}`);
    const rules = [...(await samples(metrics)).keys()].filter((name) => name.startsWith('berth_denials'));
    expect(rules).toHaveLength(129);
  });
});

test('two servers in one process keep their own numbers', async () => {
  const [one, other] = [createMetrics(() => []), createMetrics(() => [])];
  one.journalSeq(1);
  expect((await samples(other)).get('berth_journal_seq')).toBe(0);
});

test('the answer is Prometheus text with the process among it', async () => {
  const { contentType, body } = await createMetrics(() => []).render();
  expect(contentType).toContain('text/plain');
  expect(body).toContain('process_resident_memory_bytes');
});
