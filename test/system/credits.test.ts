import { connect, openAdmin } from '@berth/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Person, type Ran, Site } from './site.js';
import { day } from './terms.js';
import { until } from './waiting.js';

// PRODUCT.md, row "credits" (issue 5, part 7), through `berth` against `berthd`. In order.

let site: Site;
let anna: Person;

beforeAll(async () => {
  site = await Site.open();
  await site.grant({ seats: 2, id: 'ent-credits', more: ['--credits', '500', '--number', 'S-1042'] });
  [anna] = (await site.hire('anna@studio.example')) as [Person];
}, 120_000);

afterAll(() => site?.close());

const owner = (...words: string[]): Promise<Ran> => site.berth(site.owner, [...words, '--json']);
const asAnna = (...words: string[]): Promise<Ran> => site.berth(anna, [...words, '--json']);
const codeOf = ({ code, json }: Ran): [number, string] => [code, json.error.code];
const consume = (credits: number, key?: string) =>
  asAnna('credit', 'consume', 'render', String(credits), ...(key === undefined ? [] : ['--key', key]));

test('credits: bought with a subscription; nobody may spend any until an admin says so', async () => {
  expect((await owner('org', 'show')).json).toMatchObject({ credits: 500 });
  expect((await owner('credit', 'show')).json).toMatchObject({
    ...{ bought: 500, spent: 0, left: 500, waiting: 0 },
    items: [{ entitlement: 'ent-credits', number: 'S-1042', holder: null, left: 500 }],
  });
  expect(codeOf(await consume(1))).toEqual([4, 'CREDIT_DISABLED']);
});

test('credits: a user asks for more, admins are told by mail, and so is the user', async () => {
  expect((await asAnna('credit', 'request', '40', '--note', 'the trailer')).code).toBe(0);
  expect((await owner('credit', 'requests')).json.items).toMatchObject([
    { email: anna.email, credits: 40, note: 'the trailer', now: { access: 'disabled' } },
  ]);
  expect((await owner('credit', 'approve', anna.email)).json).toMatchObject({
    approved: true,
    credits: { access: 'limited', limit: 40, per: 'total', left: 40 },
  });
  expect((await asAnna('credit', 'request', '9000')).code).toBe(0);
  expect((await owner('credit', 'deny', anna.email, '--note', 'the budget is spent')).json).toMatchObject({
    approved: false,
    credits: { access: 'limited', limit: 40 },
  });
  expect((await owner('credit', 'requests')).json.items).toEqual([]);
  const { json } = await owner('mail', 'list');
  expect(json.items.map(({ to, kind }: { to: string; kind: string }) => `${to} ${kind}`)).toEqual(
    expect.arrayContaining([`${site.owner.email} creditAsked`, `${anna.email} creditAnswered`]),
  );
});

test('credits: the same key spends once; the limit says what is left; the period is a new one', async () => {
  const first = await consume(30, 'render-job-000471');
  expect(first.json).toMatchObject({ credits: 30, left: 10 });
  expect((await consume(30, 'render-job-000471')).json).toEqual(first.json);
  const refused = await consume(11);
  expect(codeOf(refused)).toEqual([8, 'CREDIT_LIMIT']);
  expect(refused.json.error).toMatchObject({ limit: 40, used: 30, left: 10, untilMs: null });
  const limited = await owner('credit', 'limit', anna.email, '100', '--per', 'month');
  expect(limited.json.credits).toMatchObject({ limit: 100, per: 'month', used: 30, left: 70 });
  expect(limited.stderr).toContain('Before: 40 in all; last changed ');
  expect(limited.stderr).toContain(` by ${site.owner.email}.`);
  expect((await asAnna('me')).json.credits).toMatchObject({ limit: 100, per: 'month', used: 30 });
});

test('credits: exactly once, when the server is killed in the middle of it, again and again', async () => {
  await owner('credit', 'limit', anna.email, 'unlimited');
  const client = await connect({ home: anna.home, product: 'render', vendorKeys: [site.vendorKey] });
  try {
    const receipts = new Set<string>();
    for (let round = 1; round <= 2; round++) {
      const spenders = Array.from({ length: 4 }, async () => {
        for (let at = 0; at < 10; at++) receipts.add((await client.credits.consume(1)).id);
      });
      await until('some receipts', () => receipts.size > 40 * (round - 1) + 5);
      await site.kill();
      await site.serve();
      await Promise.all(spenders);
    }
    expect(receipts.size).toBe(80);
    expect(await client.credits.show()).toMatchObject({ spent: 110, left: 390 });
    await expect(client.credits.consume(391)).rejects.toMatchObject({
      ...{ code: 'CREDIT_LOW', detail: { asked: 391, left: 390 } },
    });
  } finally {
    await client.close();
  }
});

test('credits: usage by user and period; users by what they may spend', async () => {
  const usage = (await owner('credit', 'usage', '--by', 'day', '--from', day(-1))).json;
  const days = usage.items.map(({ period }: { period: string }) => period);
  // A run over midnight spends on two days.
  expect(days.every((each: string) => each === day(0) || each === day(-1))).toBe(true);
  expect(usage).toMatchObject({ credits: 110 });
  const found = await owner('user', 'list', '--credit', 'unlimited', '--spent-until', day(1));
  expect(found.json.items).toMatchObject([
    { email: anna.email, credits: { access: 'unlimited', spent: 110 } },
  ]);
});

test('credits: many limits at once, from a table as a spreadsheet saves it', async () => {
  const csv = await site.write(
    'limits.csv',
    `E-mail;Credit limit;Period\r\n${anna.email};200;Month\r\nnobody@studio.example;5;\r\n${site.owner.email};many;\r\n`,
  );
  const { code, json } = await owner('bulk', 'apply', 'credit', '--csv', csv);
  expect(code).toBe(1);
  expect(json.job).toMatchObject({ kind: 'credit', rows: 3, done: 1, failed: 2 });
  expect((await owner('credit', 'show', anna.email)).json.credits).toMatchObject({
    ...{ access: 'limited', limit: 200, per: 'month', spent: 110 },
  });
});

test('credits: they never block a removal; what was spent stays, for the accounts and the audit', async () => {
  expect((await owner('user', 'remove', anna.email, '--yes')).code).toBe(0);
  expect((await owner('credit', 'usage', '--from', day(-1))).json).toMatchObject({
    credits: 110,
    items: [{ email: anna.email, member: false, credits: 110 }],
  });
  const admin = await openAdmin({ home: site.owner.home });
  try {
    expect((await admin.call('credit.requests', { all: true })).items).toEqual([]);
    expect(await admin.call('credit.show', {})).toMatchObject({ spent: 110, left: 390, waiting: 0 });
    const entries = await until('the audit of it', async () => {
      const { items } = await admin.call('audit.list', { user: anna.email, kind: 'credit.spent', limit: 1 });
      return items.length > 0 && items;
    });
    expect(entries[0]).toMatchObject({ did: 'consumeCredits', by: anna.email });
  } finally {
    await admin.close();
  }
  await site.stop();
  expect((await site.check()).json).toMatchObject({ ok: true });
});
