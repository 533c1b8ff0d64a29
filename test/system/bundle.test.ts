import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Exit, Started } from './process.js';
import { type Person, Site } from './site.js';
import { within } from './waiting.js';

// Issue 3, part 1: one checkout of several products, all or nothing, the missing one named.

let site: Site;
let anna: Person;
let bo: Person;

beforeAll(async () => {
  site = await Site.open({ leaseSeconds: 3 });
  const borrow = { max: '30d', seats: 1 };
  await site.grant({ product: 'gui', seats: 1, share: 'process', borrow });
  await site.grant({ product: 'render', seats: 2, share: 'process', borrow });
  [anna, bo] = (await site.hire('anna@studio.example', 'bo@studio.example')) as [Person, Person];
}, 120_000);

afterAll(() => site?.close());

/** A plugin that has done one order. */
async function plugin(
  who: Person,
  product: string,
  order: string,
): Promise<{ process: Started; said: Record<string, unknown> }> {
  const process = site.plugin(who, { product });
  await process.hear({ event: 'ready' });
  process.tell(order);
  const done = process.hear({ event: 'done', order: order.split(' ')[0] });
  const failed = process.hear({ event: 'failed' });
  const said = await Promise.race([done, failed]);
  await Promise.allSettled([process.running ? null : process.exited]);
  void Promise.allSettled([done, failed]);
  return { process, said };
}

async function leave(process: Started): Promise<void> {
  process.tell('close');
  await within('the plugin to end', process.exited);
}

async function used(): Promise<{ gui: number; render: number }> {
  const [gui, render] = [await site.pool('gui'), await site.pool('render')];
  return { gui: gui.inUse, render: render.inUse };
}

function run(products: readonly string[], options: readonly string[] = []): Promise<Exit> {
  const words = products.flatMap((product) => ['--product', product]);
  return site.berth(anna, ['run', ...words, ...options, '--', 'echo', 'ran']);
}

test('a bundle is one seat: every product of it, and each lease says which it is for', async () => {
  const { process, said } = await plugin(anna, 'gui', 'checkout 1 0 gui render:2');
  expect(said).toMatchObject({
    event: 'done',
    state: 'held',
    product: 'gui',
    parts: [
      { product: 'gui', seats: 1, leaseIds: [expect.any(String)] },
      { product: 'render', seats: 2, leaseIds: [expect.any(String)] },
    ],
  });
  expect(await used()).toEqual({ gui: 1, render: 2 });
  process.tell('release');
  await process.hear({ event: 'done', order: 'release' });
  expect(await used()).toEqual({ gui: 0, render: 0 });
  await leave(process);
});

test('with one product full nothing is held, and the missing one is named', async () => {
  const { process: holder } = await plugin(bo, 'gui', 'checkout');
  const { process, said } = await plugin(anna, 'render', 'checkout 1 0 render gui');
  expect(said).toMatchObject({
    event: 'failed',
    code: 'NO_SEAT',
    rule: 'ALL_IN_USE',
    detail: { product: 'gui' },
  });
  expect(said.message).toMatch(/^gui: /);
  expect(await used()).toEqual({ gui: 1, render: 0 });
  const shell = await run(['render', 'gui']);
  expect(shell).toMatchObject({ code: 7, stdout: '' });
  expect(shell.stderr).toMatch(/^berth: NO_SEAT gui: /);
  expect(shell.stderr).toContain('bo@studio.example');
  expect(await used()).toEqual({ gui: 1, render: 0 });
  await leave(holder);
  expect(await run(['render:2', 'gui'])).toMatchObject({ code: 0, stdout: 'ran\n' });
  await leave(process);
});

test('what is missing of several products is all named; what is never to be had first', async () => {
  const { process: holder } = await plugin(bo, 'gui', 'checkout');
  const { process, said } = await plugin(anna, 'render', 'checkout 1 60000 gui paint');
  expect(said).toMatchObject({
    code: 'NO_PRODUCT',
    detail: { product: 'paint', alsoMissing: [{ product: 'gui', rule: 'ALL_IN_USE' }] },
  });
  await Promise.all([leave(holder), leave(process)]);
});

test('a product that stands in it twice is a mistake of the caller', async () => {
  expect(await run(['gui', 'gui'])).toMatchObject({ code: 2, stdout: '' });
});

test('a bundle that waits holds nothing meanwhile, and gets all of it at once', async () => {
  const { process: holder } = await plugin(bo, 'gui', 'checkout');
  const waiter = site.plugin(anna, { product: 'gui' });
  await waiter.hear({ event: 'ready' });
  waiter.tell('checkout 1 60000 render gui');
  await waiter.hear({ event: 'queued', position: 1 });
  expect(await used()).toEqual({ gui: 1, render: 0 });
  // It wants one of the two render seats: the other one is anybody's.
  const { process: other, said } = await plugin(bo, 'render', 'checkout');
  expect(said).toMatchObject({ event: 'done' });
  const { process: late, said: refused } = await plugin(bo, 'render', 'checkout');
  expect(refused).toMatchObject({ code: 'NO_SEAT', rule: 'OTHERS_WAIT' });
  await leave(holder);
  expect(await waiter.hear({ event: 'done', order: 'checkout' })).toMatchObject({ state: 'held' });
  expect(await used()).toEqual({ gui: 1, render: 2 });
  await Promise.all([leave(waiter), leave(other), leave(late)]);
});

test('the seat is lost when a lease of any of its products is', async () => {
  const { process } = await plugin(anna, 'gui', 'checkout 1 0 gui render');
  const { json } = await site.berthOk(site.owner, ['lease', 'list', '--product', 'render', '--json']);
  await site.berthOk(site.owner, ['lease', 'release', json.items[0].id, '--reason', 'Needed', '--yes']);
  expect(await process.hear({ event: 'lost' })).toMatchObject({ code: 'LEASE_REVOKED' });
  process.tell('release');
  await process.hear({ event: 'done', order: 'release' });
  expect(await used()).toEqual({ gui: 0, render: 0 });
  await leave(process);
});

describe('borrowed products', () => {
  test('a bundle of which every product is borrowed needs no server; of one that is not, all is asked of it', async () => {
    for (const product of ['gui', 'render']) {
      const { process, said } = await plugin(anna, product, 'borrow 3600');
      expect(said).toMatchObject({ event: 'done' });
      await leave(process);
    }
    await site.kill();
    const { process, said } = await plugin(anna, 'gui', 'checkout 1 0 gui render');
    expect(said).toMatchObject({
      state: 'held',
      kind: 'borrow',
      parts: [{ product: 'gui' }, { product: 'render' }],
    });
    await leave(process);
    await site.serve();
    const { process: mixed, said: refused } = await plugin(anna, 'gui', 'checkout 1 0 gui paint');
    expect(refused).toMatchObject({ code: 'NO_PRODUCT', detail: { product: 'paint' } });
    await leave(mixed);
    for (const product of ['gui', 'render']) {
      const { process: returning } = await plugin(anna, product, 'return');
      await leave(returning);
    }
  });

  test('what is part of a bundle in use is not borrowed alone: the rest would be lost with it', async () => {
    const { process } = await plugin(anna, 'gui', 'checkout 1 0 gui render');
    process.tell('borrow 3600');
    expect(await process.hear({ event: 'failed', order: 'borrow' })).toMatchObject({ code: 'IN_USE' });
    process.tell('state');
    expect(await process.hear({ event: 'done', order: 'state' })).toMatchObject({ state: 'held' });
    await leave(process);
  });
});

test('the auditor has nothing to say', async () => {
  await site.stop();
  const { findings, judged } = site.audit();
  expect(findings).toEqual([]);
  expect(judged.tokens).toBeGreaterThan(10);
});
