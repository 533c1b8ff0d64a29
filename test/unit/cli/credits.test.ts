import { BerthError } from '@berth/client';
import { expect, test } from 'vitest';
import { berth, fakeAdmin } from './fake-host.js';

const email = 'anna@studio.example';
const limited = { access: 'limited', limit: 100, per: 'month', used: 12, spent: 240, left: 88 } as const;

test('credit limit says what it saw, and what the words mean', async () => {
  const asked: object[] = [];
  const admin = fakeAdmin({
    'user.show': () => ({
      user: { email, name: '', role: 'user', state: 'active', aliases: [], devices: 1, products: [] },
      invitation: null,
      allocations: [],
      credits: limited,
    }),
    'audit.list': () => ({ items: [], next: null }),
    'credit.limit': ({ key: _, ...params }) => {
      asked.push(params);
      return { email, credits: limited, changed: true };
    },
  });
  const was = { access: 'limited', limit: 100, per: 'month' };
  const set = (...words: string[]) => berth(['credit', 'limit', email, ...words], { sdk: admin.sdk });
  expect((await set('100', '--per', 'month')).stderr).toContain(
    '100 a month; 12 spent this month, 88 can be spent now',
  );
  await set('Unlimited');
  await set('0');
  expect(asked).toEqual([
    { email, access: 'limited', limit: 100, per: 'month', was },
    { email, access: 'unlimited', was },
    { email, access: 'limited', limit: 0, per: 'total', was },
  ]);
});

test.each([
  ['credit limit anna@studio.example 500', '100 a month', { kind: 'credit.access', user: email, limit: 100 }],
  ['org set --name North', '"Studio"', { kind: 'organisation.renamed', limit: 100 }],
])('berth %s says what was there before, and who said so', async (line, was, filter) => {
  const act = (by: string, user: string) => ({
    ...{ atMs: Date.UTC(2026, 0, 15), by },
    changes: [{ kind: filter.kind, facts: [{ name: 'user', value: user }] }],
  });
  // The first one is an act of hers about somebody else.
  let last: object[] = [
    ...('user' in filter ? [act(email, 'carl@studio.example')] : []),
    act('bo@studio.example', email),
  ];
  let changed = true;
  let isDamaged = false;
  const admin = fakeAdmin({
    'user.show': () => ({ user: { email }, credits: limited }),
    'organisation.show': () => ({ name: 'Studio' }),
    'audit.list': () => {
      if (isDamaged) throw new BerthError('INTERNAL');
      return { items: last, next: null };
    },
    'credit.limit': () => ({ email, credits: limited, changed }),
    'organisation.set': () => ({ name: 'North', changed }),
  });
  const said = async () => (await berth(line.split(' '), { sdk: admin.sdk })).stderr;
  const told = await said();
  expect(told).toContain(`Before: ${was}; last changed `);
  expect(told).toContain(' by bo@studio.example.');
  expect(admin.calls.find(({ method }) => method === 'audit.list')?.params).toEqual(filter);
  expect(admin.calls.map(({ method }) => method).indexOf('audit.list')).toBe(1);
  last = [];
  expect(await said()).toContain(`Before: ${was}.\n`);
  isDamaged = true;
  expect(await said()).toContain(`Before: ${was}.\n`);
  changed = false;
  expect(await said()).not.toContain('Before');
});

test.each([
  [['credit', 'limit', email, 'many'], 'CREDIT_LIMIT_INVALID'],
  [['credit', 'limit', email, '1.5'], 'CREDIT_LIMIT_INVALID'],
  [['credit', 'limit', email, '1000000001'], 'CREDIT_LIMIT_INVALID'],
  [['credit', 'limit', email, 'unlimited', '--per', 'month'], 'USAGE'],
  [['credit', 'approve', email, '--per', 'month'], 'USAGE'],
  [['credit', 'consume', 'render', '0'], 'USAGE'],
  [['credit', 'consume', 'render', '1', '--key', 'short'], 'USAGE'],
  [['credit', 'usage', '--from', 'yesterday'], 'DATE_INVALID'],
  [['credit', 'usage', '--from', '2025-12-02', '--until', '2025-12-01'], 'USAGE'],
  // Before the first of this month, with which it would begin.
  [['credit', 'usage', '--until', '2025-12-31'], 'USAGE'],
])('%j is refused before anything is sent: %s', async (words, code) => {
  const ran = await berth([...words, '--json'], { sdk: fakeAdmin({}).sdk });
  expect(ran.json()).toMatchObject({ error: { code } });
  expect(ran.exitCode).toBe(2);
});

test('credit show, usage and requests are tables', async () => {
  const admin = fakeAdmin({
    'credit.show': () => ({
      ...{ bought: 1000, spent: 240, left: 760, waiting: 1, next: null },
      items: [
        {
          ...{ entitlement: 'ent-1', number: 'S-1042', product: 'render', vendor: '', holder: null },
          ...{ state: 'active', until: '2027-05-09', bought: 1000, spent: 240, left: 760 },
        },
      ],
    }),
    'credit.usage': () => ({
      ...{ from: '2026-11-01', until: '2026-11-28', credits: 12, next: null },
      items: [{ email, member: false, period: '2026-11', credits: 12 }],
    }),
    'credit.requests': () => ({
      items: [{ id: 'q1', email, credits: 500, note: 'the trailer', madeAtMs: 0, now: limited }],
      next: null,
    }),
  });
  const show = await berth(['credit', 'show'], { sdk: admin.sdk });
  expect(show.stdout).toMatch(/S-1042 +render +organisation +active +2027-05-09 +1000 +240 +760/);
  expect(show.stderr).toContain('1 user waits for an answer');
  const usage = await berth(['credit', 'usage', '--by', 'month'], { sdk: admin.sdk });
  expect(usage.stdout).toMatch(/anna@studio.example +2026-11 +12 +removed/);
  const requests = await berth(['credit', 'requests'], { sdk: admin.sdk });
  expect(requests.stdout).toMatch(/500 .*100 a month +12 +the trailer/);
});
