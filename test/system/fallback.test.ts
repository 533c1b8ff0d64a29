import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Started } from './process.js';
import { type Person, Site } from './site.js';
import { within } from './waiting.js';

// Issue 3, part 2: products in order of preference. A workstation seat may serve as a render seat, not the reverse.

let site: Site;
let anna: Person;

beforeAll(async () => {
  site = await Site.open({ leaseSeconds: 3 });
  await site.grant({ product: 'node', seats: 1, share: 'process' });
  await site.grant({ product: 'workstation', seats: 1, share: 'process', borrow: { max: '30d', seats: 1 } });
  [anna] = (await site.hire('anna@studio.example')) as [Person];
}, 120_000);

afterAll(() => site?.close());

const either = ['node', 'workstation'];

async function plugin(product: string | readonly string[]): Promise<Started> {
  const started = site.plugin(anna, { product });
  await started.hear({ event: 'ready' });
  return started;
}

async function holder(product: string | readonly string[], of: string): Promise<Started> {
  const started = await plugin(product);
  started.tell('checkout');
  expect(await started.hear({ event: 'done', order: 'checkout' })).toMatchObject({
    product: of,
    state: 'held',
  });
  return started;
}

async function leave(...all: Started[]): Promise<void> {
  for (const started of all) started.tell('close');
  await Promise.all(all.map((started) => within('the plugin to end', started.exited)));
}

test('the first that has a seat is taken, in the order of preference, until there is none', async () => {
  const first = await holder(either, 'node');
  const second = await holder(either, 'workstation');
  const third = await plugin(either);
  third.tell('checkout');
  expect(await third.hear({ event: 'failed' })).toMatchObject({
    code: 'NO_SEAT',
    detail: { product: 'node', alsoTried: [{ product: 'workstation', rule: 'ALL_IN_USE' }] },
  });
  await leave(first, second, third);
});

test('and not the reverse: who wants a workstation gets no render node, however many are free', async () => {
  const first = await holder('workstation', 'workstation');
  const second = await plugin('workstation');
  second.tell('checkout');
  expect(await second.hear({ event: 'failed' })).toMatchObject({
    code: 'NO_SEAT',
    detail: { product: 'workstation' },
  });
  expect(await site.pool('node')).toMatchObject({ inUse: 0, free: 1 });
  await leave(first, second);
});

test('a product nobody owns is passed over', async () => {
  await leave(await holder(['node-next', 'node'], 'node'));
});

test('who waits for either gets whichever comes free first', async () => {
  const [node, workstation] = [await holder('node', 'node'), await holder('workstation', 'workstation')];
  const waiter = await plugin(either);
  waiter.tell('checkout 1 60000');
  await waiter.hear({ event: 'queued', position: 1 });
  await leave(workstation);
  expect(await waiter.hear({ event: 'done', order: 'checkout' })).toMatchObject({ product: 'workstation' });
  await leave(waiter, node);
});

test('berth run takes them with commas', async () => {
  const first = await holder('node', 'node');
  const run = (product: string) => site.berth(anna, ['run', '--product', product, '--', 'echo', 'ran']);
  expect(await run('node,workstation')).toMatchObject({ code: 0, stdout: 'ran\n' });
  const second = await holder('workstation', 'workstation');
  const refused = await run('node,workstation');
  expect(refused).toMatchObject({ code: 7, stdout: '' });
  expect(refused.stderr).toContain('Also tried: workstation (ALL_IN_USE)');
  await leave(first, second);
});

test('a borrow of any of them comes first, and works without the server', async () => {
  const borrower = await plugin('workstation');
  borrower.tell('borrow 3600');
  await borrower.hear({ event: 'done', order: 'borrow' });
  await leave(borrower);
  await site.kill();
  const offline = await plugin(either);
  offline.tell('checkout');
  expect(await offline.hear({ event: 'done', order: 'checkout' })).toMatchObject({
    kind: 'borrow',
    product: 'workstation',
    state: 'held',
  });
  await leave(offline);
  await site.serve();
});

test('the auditor has nothing to say', async () => {
  await site.stop();
  const { findings, judged } = site.audit();
  expect(findings).toEqual([]);
  expect(judged.tokens).toBeGreaterThan(5);
});
