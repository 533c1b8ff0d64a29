import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Json, type Person, Site } from './site.js';
import { day } from './terms.js';

// PRODUCT.md, row "subscriptions", and `berth why` (issue 5, parts 3 and 11), through `berth` against `berthd`.

let site: Site;
let anna: Person;

beforeAll(async () => {
  site = await Site.open();
  const more = [
    '--number',
    'S-1',
    '--license-key',
    'AAAA-1111',
    '--currency',
    'EUR',
    '--ordered-from',
    'Reseller',
  ];
  await site.grant({ seats: 1, id: 'ent-soon', until: day(6), more });
  await site.grant({
    product: 'comp',
    seats: 2,
    id: 'ent-late',
    until: day(300),
    more: ['--number', 'S-2', '--currency', 'USD'],
  });
  [anna] = (await site.hire('anna@studio.example', 'bo@studio.example')) as [Person];
}, 120_000);

afterAll(() => site?.close());

const owner = (...words: string[]): Promise<Json> => site.berth(site.owner, [...words, '--json']);

test('subscriptions: listed by state, currency and end; shown with its licence key', async () => {
  const ids = async (...words: string[]) =>
    (await owner('subscription', 'list', ...words)).json.items.map(({ id }: Json) => id);
  expect(await ids('--active')).toEqual(['ent-late', 'ent-soon']);
  expect(await ids('--expired')).toEqual([]);
  expect(await ids('--currency', 'eur')).toEqual(['ent-soon']);
  expect(await ids('--expires-before', day(30))).toEqual(['ent-soon']);
  const { json } = await owner('subscription', 'show', 'S-1');
  expect(json.items).toMatchObject([{ id: 'ent-soon', notice: 7, display: { orderedFrom: 'Reseller' } }]);
  const key = await site.berthOk(site.owner, ['subscription', 'show', 'S-1', '--copy-key']);
  expect(key.stdout).toBe('AAAA-1111\n');
  const unknown = await owner('subscription', 'show', 'S-3');
  expect([unknown.code, unknown.json.error.code]).toEqual([6, 'ENTITLEMENT_UNKNOWN']);
});

test('status warns of the one that ends soon, and of no other', async () => {
  const { stderr, json } = await owner('status');
  expect(stderr).toContain('Subscription S-1 (1 seat of render) ends soon: 7 days left');
  expect(stderr).not.toContain('S-2');
  expect(Object.keys(json)).toEqual(['pools']);
});

test('why: yes and from where; no, which rule and who holds it', async () => {
  const yes = await owner('why', anna.email, 'render');
  expect([yes.code, yes.json.granted, yes.json.from]).toMatchObject([
    0,
    true,
    [{ entitlement: 'ent-soon', allocated: false }],
  ]);
  await site.berthOk(site.owner, ['license', 'assign', 'bo@studio.example', 'render']);
  const no = await owner('why', anna.email, 'render');
  expect([no.code, no.json.refusal]).toMatchObject([7, { code: 'NO_SEAT', rule: 'ALLOCATED_TO_OTHERS' }]);
  const told = await site.berth(site.owner, ['why', anna.email, 'render']);
  expect(told.stdout).toMatch(/^No: NO_SEAT /);
  expect(told.stdout).toContain('1 owned, 0 shared');
  const { pools } = (await owner('status')).json;
  expect(pools).toMatchObject([{}, { product: 'render', inUse: 0, free: 1 }]);
});
