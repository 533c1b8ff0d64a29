import { type LeaseConnection, openLease } from '@berth/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Site } from './site.js';
import { until } from './waiting.js';

const CLIENTS = 50;
/** drain.ts and transport/limits.ts: not before a second, spread over ten more, and the client adds up to a fifth. */
const FIRST_MS = 1_000;
const LAST_MS = (1_000 + 10_000) * 1.2;

let site: Site;
const clients: LeaseConnection[] = [];

beforeAll(async () => {
  site = await Site.open({ leaseSeconds: 60 });
}, 120_000);

afterAll(async () => {
  await Promise.all(clients.map((client) => client.close()));
  await site?.close();
});

/** When each session was opened by the server that runs now, from its log, ms since 1970. */
function opened(): number[] {
  return site
    .server!.said.filter(({ msg }) => msg === 'Session opened')
    .map(({ time }) => Date.parse(String(time)));
}

test(`${CLIENTS} clients of a server that drains come back spread out, not as a herd`, async () => {
  await site.stop();
  await site.serve(['--log-level', 'debug']);
  for (let number = 0; number < CLIENTS; number++) clients.push(await openLease({ home: site.owner.home }));
  // A client knows that its session is open before the server's log has been read.
  await until('the log to say that all are in', () => opened().length === CLIENTS, 60_000, 50);
  const toldMs = Date.now();
  await site.stop();
  await site.serve(['--log-level', 'debug']);
  await until('all clients to be back', () => opened().length === CLIENTS, 60_000, 200);
  const afterMs = opened()
    .map((atMs) => atMs - toldMs)
    .sort((a, b) => a - b);
  expect(afterMs[0]).toBeGreaterThanOrEqual(FIRST_MS - 50);
  // A backoff may add a little to the last one; the machine may be slow.
  expect(afterMs.at(-1)).toBeLessThan(LAST_MS + 10_000);
  expect(afterMs.at(-1)! - afterMs[0]!).toBeGreaterThan(5_000);
  const perSecond = new Map<number, number>();
  for (const ms of afterMs) {
    const second = Math.floor(ms / 1000);
    perSecond.set(second, (perSecond.get(second) ?? 0) + 1);
  }
  console.info(`came back in seconds: ${JSON.stringify([...perSecond])}`);
  // Evenly it would be 5 a second.
  expect(Math.max(...perSecond.values())).toBeLessThanOrEqual(CLIENTS / 3);
  const pools = await Promise.all(clients.map((client) => client.call('pool.status', {})));
  expect(pools).toHaveLength(CLIENTS);
}, 120_000);
