import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Started } from './process.js';
import { type Json, type Person, Site } from './site.js';
import { until } from './waiting.js';

// Part 8 of issue 3: floating sharing on and off, drained or cut, with plugins that run. In order.

let site: Site;
let anna: Person;
let bo: Person;

beforeAll(async () => {
  site = await Site.open({ leaseSeconds: 5 });
  await site.grant({ seats: 2, share: 'process' });
  await site.grant({ product: 'comp', seats: 1 });
  [anna, bo] = (await site.hire('anna@studio.example', 'bo@studio.example')) as [Person, Person];
  await site.berthOk(site.owner, ['license', 'assign', anna.email, 'render']);
}, 120_000);

afterAll(() => site?.close());

const sharing = async (...words: string[]) =>
  (await site.berthOk(site.owner, ['sharing', ...words, '--json'])).json;

async function opened(who: Person): Promise<Started> {
  const plugin = site.plugin(who);
  await plugin.hear({ event: 'ready' });
  return plugin;
}

async function told(plugin: Started, order: string): Promise<Record<string, unknown>> {
  const before = plugin.said.length;
  plugin.tell(order);
  const [name] = order.split(' ');
  return until(`the answer to ${order}`, () => {
    const answer = plugin.said.slice(before).find((line) => line.order === name);
    if (answer === undefined && !plugin.running) throw new Error(`The plugin ended:\n${plugin.stderr}`);
    return answer;
  });
}

describe('shared pool', () => {
  let drained: Started;
  let own: Started;

  test('off drains: who works goes on, nobody else gets a shared seat', async () => {
    [own, drained] = [await opened(anna), await opened(bo)];
    await told(own, 'checkout');
    await told(drained, 'checkout');
    const { products } = await sharing('off', '--product', 'render');
    expect(products).toEqual([
      { product: 'render', floatingSharing: false, changed: true, leasesRevoked: 0, seatsRunning: 1 },
    ]);
    const { pools } = (await site.berthOk(site.owner, ['status', '--json'])).json;
    expect(pools).toMatchObject([
      { product: 'comp', floatingSharing: true },
      { product: 'render', floatingSharing: false, inUse: 2 },
    ]);
    // Longer than a whole window without a renewal would last.
    const startedAt = performance.now();
    await until('a window and more', () => performance.now() - startedAt > 16_000);
    expect(await told(drained, 'state')).toMatchObject({ state: 'held' });
    await told(drained, 'release');
    expect(await site.pool()).toMatchObject({ inUse: 1, free: 1 });
    const refused = await told(drained, 'checkout 1 60000');
    expect(refused).toMatchObject({ event: 'failed', code: 'NO_SEAT', rule: 'SHARING_OFF' });
  });

  test('whoever waits in line is told when it is switched off', async () => {
    await sharing('on');
    await told(drained, 'checkout');
    const waiter = await opened(bo);
    waiter.tell('checkout 1 60000');
    await until('somebody in line', async () =>
      (await site.http('/metrics')).body.match(/^berth_waiting\{.*\} 1$/m),
    );
    await sharing('off');
    expect(await waiter.hear({ event: 'failed', order: 'checkout' })).toMatchObject({
      code: 'NO_SEAT',
      rule: 'SHARING_OFF',
    });
    await told(waiter, 'close');
  });

  test('off --cut takes the shared seats back, not the allocated ones, and keeps the switch over a kill', async () => {
    const would = await sharing('off', '--cut', '--dry-run');
    expect(would.would.products).toMatchObject([
      { product: 'comp', changed: false, leasesRevoked: 0 },
      { product: 'render', changed: false, leasesRevoked: 1 },
    ]);
    expect(would.leases.filter((lease: Json) => lease.would === 'end')).toMatchObject([
      { product: 'render' },
    ]);
    expect(would.allocations).toEqual([]);
    const drain = await sharing('off', '--dry-run');
    expect(drain.leases.map((lease: Json) => lease.would)).not.toContain('end');
    expect(await told(drained, 'state')).toMatchObject({ state: 'held' });
    const { products } = await sharing('off', '--cut', '--yes');
    expect(products).toMatchObject([
      { product: 'comp', changed: false, leasesRevoked: 0 },
      { product: 'render', changed: false, leasesRevoked: 1 },
    ]);
    expect(await drained.hear({ event: 'lost' })).toMatchObject({
      code: 'LEASE_REVOKED',
      by: site.owner.email,
      message: 'Floating sharing of this product was switched off.',
    });
    expect(await site.pool()).toMatchObject({ inUse: 1, held: 1 });
    await told(drained, 'release');
    expect(await site.pool()).toMatchObject({ inUse: 1, held: 0, free: 1 });
    await told(own, 'release');
    await site.restart();
    expect(await site.pool()).toMatchObject({ floatingSharing: false, free: 2 });
  });

  test('on: everybody again', async () => {
    expect((await sharing('on', '--product', 'render')).products).toMatchObject([{ changed: true }]);
    const plugin = await opened(bo);
    expect(await told(plugin, 'checkout')).toMatchObject({ state: 'held' });
    await told(plugin, 'close');
    await told(own, 'close');
    await told(drained, 'close');
  });

  test.each([
    [['maybe'], 2, 'USAGE'],
    [['on', '--cut'], 2, 'USAGE'],
    [['off', '--cut', '--drain'], 2, 'USAGE'],
    [['off', '--product', 'nothing'], 6, 'PRODUCT_UNKNOWN'],
  ])('%j is refused', async (words, code, error) => {
    const ran = await site.berth(site.owner, ['sharing', ...words, '--json']);
    expect([ran.code, ran.json.error.code]).toEqual([code, error]);
  });

  test('is for admins', async () => {
    for (const words of [['off'], ['off', '--dry-run']]) {
      const ran = await site.berth(anna, ['sharing', ...words, '--json']);
      expect([ran.code, ran.json.error.code]).toEqual([4, 'NOT_ALLOWED']);
    }
  });
});

test('the auditor has nothing to say', async () => {
  await site.stop();
  const { findings, judged } = site.audit();
  expect(findings).toEqual([]);
  expect(judged.tokens).toBeGreaterThan(5);
  expect((await site.check()).json).toMatchObject({ ok: true });
});
