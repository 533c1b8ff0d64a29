import { expect, it } from 'vitest';
import { berth, fakeAdmin } from './fake-host.js';

const lease = {
  ...{ id: 'l-1', product: 'render', seats: 2, kind: 'borrow', user: 'a@b.example', device: 'ws-1' },
  ...{ entitlement: 'ent-1', expiresAtMs: 0 },
};
const allocation = {
  email: 'a@b.example',
  product: 'render',
  quantity: 3,
  expires: '2026-12-31',
  entitlement: 'ent-1',
};

it.each([
  ['entitlement remove ent-1', { product: 'render' }],
  ['user remove A@b.example', { email: 'a@b.example' }],
  ['license revoke a@b.example render --all', { email: 'a@b.example', product: 'render' }],
  ['sharing off --cut --product render', { product: 'render' }],
  ['sharing off --cut', {}],
])('berth %s --dry-run asks what it would touch, asks nobody, and changes nothing', async (line, filter) => {
  const admin = fakeAdmin({
    'entitlement.show': () => ({ entitlement: { id: 'ent-1', product: 'render' } }),
    'lease.list': () => ({ items: [lease], next: null }),
    'allocation.list': () => ({ items: [allocation], next: null }),
  });
  const ran = await berth([...line.split(' '), '--dry-run', '--json'], { sdk: admin.sdk, answers: [] });
  expect(ran.exitCode).toBe(0);
  expect(ran.json()).toMatchObject({ dryRun: true, leases: [lease], allocations: [allocation] });
  expect(ran.stderr).toMatch(/2 seats in use and 3 seats set aside\. Nothing was changed\./);
  const lists = admin.calls.filter(({ method }) => method !== 'entitlement.show');
  expect(lists.map(({ method }) => method)).toEqual(['lease.list', 'allocation.list']);
  for (const { params } of lists) expect(params).toEqual({ limit: expect.any(Number), ...filter });
});

it('of an entitlement only what is of it', async () => {
  const other = 'ent-2';
  const admin = fakeAdmin({
    'entitlement.show': () => ({ entitlement: { id: other, product: 'render' } }),
    'lease.list': () => ({ items: [lease, { ...lease, id: 'l-2', entitlement: other }], next: null }),
    'allocation.list': () => ({ items: [allocation], next: null }),
  });
  const ran = await berth(['entitlement', 'remove', other, '--dry-run', '--json'], { sdk: admin.sdk });
  expect(ran.json()).toMatchObject({ leases: [{ id: 'l-2' }], allocations: [] });
});
