import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Started } from './process.js';
import { type Person, Site } from './site.js';
import { until } from './waiting.js';

// Part 7 of issue 3: a plugin that nobody uses gives its seat to somebody else, and one that restarts finds its own. In order.

let site: Site;
let anna: Person;
let bo: Person;

beforeAll(async () => {
  site = await Site.open({ leaseSeconds: 5 });
  await site.grant({ seats: 1, share: 'device' });
  [anna, bo] = (await site.hire('anna@studio.example', 'bo@studio.example')) as [Person, Person];
}, 120_000);

afterAll(() => site?.close());

const asOwner = async (...words: string[]) =>
  (await site.berthOk(site.owner, [...words, '--json', '--yes'])).json;

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

describe('berth pool', () => {
  const off = { idleSeconds: null, lingerSeconds: null };

  test('shows every setting with its default; both are off', async () => {
    const { items, next } = await asOwner('pool', 'show');
    expect({ items, next }).toMatchObject({
      items: [{ product: 'render', settings: off, defaults: off }],
      next: null,
    });
    const { stdout } = await site.berthOk(site.owner, ['pool', 'show', 'render']);
    expect(stdout).toMatch(/^idle-seconds +off \(default\)$/m);
  });

  test('is not for plain users, nor for products that are not there', async () => {
    const set = ['pool', 'set', 'render', '--idle-seconds', '2', '--json'];
    const refused = await site.berth(anna, set);
    expect([refused.code, refused.json.error.code]).toEqual([4, 'NOT_ALLOWED']);
    const unknown = await site.berth(site.owner, ['pool', 'set', 'sim', '--idle-seconds', '2', '--json']);
    expect([unknown.code, unknown.json.error.code]).toEqual([6, 'PRODUCT_UNKNOWN']);
  });

  test('keeps its settings over a new revision and a kill', async () => {
    expect(await asOwner('pool', 'set', 'render', '--idle-seconds', '2')).toMatchObject({
      settings: { idleSeconds: 2, lingerSeconds: null },
      changed: true,
    });
    await site.grant({ seats: 1, share: 'device', id: 'ent-more' });
    await asOwner('entitlement', 'remove', 'ent-more');
    await site.restart();
    const { items } = await asOwner('pool', 'show', 'render');
    expect(items[0].settings).toMatchObject({ idleSeconds: 2, lingerSeconds: null });
  });

  test('changes nothing about the members of berth status --json', async () => {
    const { pools } = await asOwner('status');
    expect(Object.keys(pools[0]).join(' ')).toBe(
      'product vendor owned allocated shared floatingSharing inUse borrowed held free over',
    );
  });
});

describe('idle', () => {
  let plugin: Started;

  test('a plugin in use keeps its seat; one that says it is idle loses it with the reason', async () => {
    plugin = await opened(anna);
    await told(plugin, 'checkout');
    const busy = await opened(anna);
    expect(await told(busy, 'checkout')).toMatchObject({ joined: true });
    await told(plugin, 'idle');
    // Joined by a plugin that is in use, the seat is not taken from either: three limits later both have it.
    const startedAt = performance.now();
    await until('six seconds of renewals', () => performance.now() - startedAt > 6000);
    expect(await told(plugin, 'state')).toMatchObject({ state: 'held' });
    expect(await told(busy, 'state')).toMatchObject({ state: 'held' });
    await told(busy, 'release');
    const lost = await plugin.hear({ event: 'lost' });
    expect(lost).toMatchObject({ code: 'IDLE_RELEASED', by: null });
    expect(lost.message).toContain('2 s');
    expect(lost.hint).toContain('check out again');
  });

  test('the seat is held until the signed stop, then free at once; the journal says why', async () => {
    expect(await site.pool()).toMatchObject({ inUse: 0, held: 1, free: 0 });
    await told(plugin, 'release');
    expect(await site.pool()).toMatchObject({ inUse: 0, held: 0, free: 1 });
    const records = site.evidence().journal?.records ?? [];
    const revoked = records.flatMap(({ changes }) => changes.filter(({ type }) => type === 'lease.revoked'));
    expect(revoked.at(-1)).toMatchObject({ cause: 'idle', by: '' });
  });

  test('working again: the same plugin checks out again', async () => {
    expect(await told(plugin, 'checkout')).toMatchObject({ state: 'held', joined: false });
    await told(plugin, 'close');
  });

  test('berth run is never idle', async () => {
    const line = 'setTimeout(() => console.log("rendered"), 7000)';
    const run = ['run', '--product', 'render', '--vendor-key', site.vendorKey, '--', 'node', '-e', line];
    const ran = await site.berth(anna, run);
    expect([ran.code, ran.stdout]).toEqual([0, 'rendered\n']);
  });
});

describe('linger', () => {
  let lease: string;

  test('after a release the seat is held for whoever had it, and for nobody else', async () => {
    await asOwner('pool', 'set', 'render', '--idle-seconds', 'off', '--linger-seconds', '600');
    const plugin = await opened(anna);
    [lease] = (await told(plugin, 'checkout')).leaseIds as [string];
    await told(plugin, 'close');
    expect(await site.pool()).toMatchObject({ inUse: 0, held: 1, free: 0 });
    const other = await opened(bo);
    const refused = await told(other, 'checkout');
    expect(refused).toMatchObject({ event: 'failed', code: 'NO_SEAT', rule: 'ALL_IN_USE' });
    expect(refused.holders).toMatchObject([{ user: anna.email, kind: 'held' }]);
    await told(other, 'close');
  });

  test('the next process of the same device takes it over, also after the server was killed', async () => {
    await site.restart();
    expect(await site.pool()).toMatchObject({ inUse: 0, held: 1, free: 0 });
    const plugin = await opened(anna);
    const taken = await told(plugin, 'checkout');
    expect(taken).toMatchObject({ state: 'held', joined: true });
    expect(await site.pool()).toMatchObject({ inUse: 1, held: 0 });
    [lease] = taken.leaseIds as [string];
    await told(plugin, 'close');
  });

  test('lease list shows it, lease release ends it, and somebody else gets the seat', async () => {
    const { items } = await asOwner('lease', 'list');
    expect(items).toMatchObject([{ id: lease, state: 'lingering', user: anna.email }]);
    await asOwner('lease', 'release', lease);
    expect(await site.pool()).toMatchObject({ held: 0, free: 1 });
    const other = await opened(bo);
    expect(await told(other, 'checkout')).toMatchObject({ state: 'held', joined: false });
    await told(other, 'close');
  });

  test('switching it off ends what lingers; a waiter is served when it ends', async () => {
    expect(await site.pool()).toMatchObject({ held: 1 });
    const waiter = await opened(anna);
    waiter.tell('checkout 1 60000');
    const off = ['pool', 'set', 'render', '--linger-seconds', 'off'];
    expect(await asOwner(...off, '--dry-run')).toMatchObject({
      ...{ dryRun: true, changed: true, lingersEnded: 1, settings: { lingerSeconds: null } },
    });
    expect(await site.pool()).toMatchObject({ held: 1 });
    expect(await asOwner(...off)).toMatchObject({ changed: true, lingersEnded: 1 });
    expect(await waiter.hear({ event: 'done', order: 'checkout' })).toMatchObject({ state: 'held' });
    await told(waiter, 'close');
    expect(await site.pool()).toMatchObject({ inUse: 0, held: 0, free: 1 });
  });
});

test('the auditor has nothing to say', async () => {
  await site.stop();
  const { findings, judged } = site.audit();
  expect(findings).toEqual([]);
  expect(judged.tokens).toBeGreaterThan(10);
  expect((await site.check()).json).toMatchObject({ ok: true });
});
