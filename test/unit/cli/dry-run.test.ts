import { newSeed, publicKeyOf } from '@berth/cli/ed25519';
import { BerthError } from '@berth/client';
import { formatPublicKey, formatSecretKey, type Method, requests } from '@berth/protocol';
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

/** Of whoever is asked about: the member with this login name. */
const shown = { 'user.show': () => ({ user: { email: 'a@b.example' } }) };
/** What the server says to rows of what would be asked. */
const judged = (...items: object[]) => ({
  'bulk.put': () => ({ received: items.length }),
  'bulk.preview': () => ({
    items,
    next: null,
    rows: items.length,
    done: 0,
    unchanged: 0,
    failed: 0,
    ignored: [],
  }),
});
const agreed = { line: 1, email: 'a@b.example', verdict: 'done' };
/** What the server says to one change of which it can be asked ahead. */
const would = {
  'entitlement.remove.preview': () => ({ id: 'ent-1' }),
  'user.unenrol.preview': () => ({ email: 'a@b.example', leasesRevoked: 1 }),
  'allocation.move.preview': () => ({ email: 'a@b.example', moved: 3 }),
  'allocation.revoke.preview': () => ({ email: 'a@b.example', product: 'render', left: 0, leasesRevoked: 1 }),
  'sharing.set.preview': () => ({
    products: [
      { product: 'render', floatingSharing: false, changed: true, leasesRevoked: 2, seatsRunning: 0 },
      { product: 'gui', floatingSharing: false, changed: false, leasesRevoked: 0, seatsRunning: 3 },
    ],
  }),
};

it.each([
  ['entitlement remove ent-1', { product: 'render' }],
  ['user remove A@b.example', { email: 'a@b.example' }],
  ['user remove lgt07', { email: 'a@b.example' }],
  ['license revoke a@b.example render --all', { email: 'a@b.example', product: 'render' }],
])('berth %s --dry-run asks what it would touch, asks nobody, and changes nothing', async (line, filter) => {
  const admin = fakeAdmin({
    ...shown,
    ...judged(agreed),
    ...would,
    'entitlement.show': () => ({ entitlement: { id: 'ent-1', product: 'render' } }),
    'lease.list': () => ({ items: [lease], next: null }),
    'allocation.list': () => ({ items: [allocation], next: null }),
  });
  const ran = await berth([...line.split(' '), '--dry-run', '--json'], { sdk: admin.sdk, answers: [] });
  expect(ran.exitCode).toBe(0);
  expect(ran.json()).toMatchObject({ dryRun: true, leases: [lease], allocations: [allocation] });
  expect(ran.stderr).toMatch(/There: 2 seats in use and 3 seats set aside\. Nothing was changed\./);
  const lists = admin.calls.filter(({ method }) => /\.list$/.test(method));
  expect(lists.map(({ method }) => method)).toEqual(['lease.list', 'allocation.list']);
  for (const { params } of lists) expect(params).toEqual({ limit: expect.any(Number), ...filter });
});

it('of an entitlement only what is of it', async () => {
  const other = 'ent-2';
  const admin = fakeAdmin({
    ...would,
    'entitlement.show': () => ({ entitlement: { id: other, product: 'render' } }),
    'lease.list': () => ({ items: [lease, { ...lease, id: 'l-2', entitlement: other }], next: null }),
    'allocation.list': () => ({ items: [allocation], next: null }),
  });
  const ran = await berth(['entitlement', 'remove', other, '--dry-run', '--json'], { sdk: admin.sdk });
  expect(ran.json()).toMatchObject({ leases: [{ id: 'l-2' }], allocations: [] });
});

it.each([
  ['by its name', 'ws-1'],
  ['by its id', 'd-1'],
])(
  'berth user unenrol --dry-run: what is in use at that device, %s, and nothing that is set aside',
  async (_, called) => {
    const admin = fakeAdmin({
      ...shown,
      ...would,
      'user.devices': () => ({
        items: [
          { id: 'd-1', name: 'ws-1' },
          { id: 'd-2', name: 'ws-2' },
        ],
        next: null,
      }),
      'lease.list': () => ({ items: [lease, { ...lease, id: 'l-2', device: 'ws-2' }], next: null }),
      'allocation.list': () => ({ items: [allocation], next: null }),
    });
    const ran = await berth(['user', 'unenrol', 'lgt07', called, '--dry-run', '--json'], { sdk: admin.sdk });
    expect(ran.json()).toMatchObject({ leases: [{ id: 'l-1' }], allocations: [] });
    expect(ran.stderr).toContain('Would lock ws-1 of a@b.example (lgt07) out. There: 2 seats in use');
    const other = await berth(['user', 'unenrol', 'lgt07', 'ws-3', '--dry-run'], { sdk: admin.sdk });
    expect([other.exitCode, other.stderr]).toEqual([6, expect.stringContaining('USER_DEVICE_UNKNOWN')]);
    expect(admin.calls.some(({ method }) => method === 'user.unenrol')).toBe(false);
  },
);

it('berth license move --dry-run: what the one has of the product, and whom it would go to is known', async () => {
  const admin = fakeAdmin({
    ...would,
    'user.show': ({ email }) => {
      if (email === 'x@b.example') throw new BerthError('USER_UNKNOWN');
      return { user: { email } };
    },
    'lease.list': () => ({ items: [lease], next: null }),
    'allocation.list': () => ({ items: [allocation], next: null }),
  });
  const move = ['license', 'move', 'a@b.example', 'render', '--all', '--dry-run', '--to'];
  const ran = await berth([...move, 'c@b.example', '--json'], { sdk: admin.sdk, answers: [] });
  expect(ran.json()).toMatchObject({ dryRun: true, leases: [lease], allocations: [allocation] });
  expect(ran.stderr).toContain('Would move every seat of render from a@b.example to c@b.example.');
  expect((await berth([...move, 'x@b.example'], { sdk: admin.sdk })).exitCode).toBe(6);
  expect(admin.calls.some(({ method }) => method === 'allocation.move')).toBe(false);
});

it.each([
  ['license move a@b.example render --to c@b.example --quantity 99', 'ALLOCATION_UNKNOWN', 6],
  ['license move a@b.example render --to c@b.example --all', 'BORROWED', 8],
  ['user unenrol a@b.example ws-1', 'BORROWED', 8],
  ['user unenrol a@b.example ws-1', 'LAST_OWNER', 8],
  ['entitlement remove ent-1', 'BORROWED', 8],
  ['entitlement remove ent-1', 'ALLOCATED', 8],
  ['entitlement remove ent-1 --pending', 'ALLOCATED', 8],
  ['license revoke a@b.example render', 'BORROWED', 8],
  ['license revoke a@b.example render --all --expires 2026-12-31 --pending', 'PERSONAL', 8],
] as const)('berth %s --dry-run says %s where the server would', async (line, code, exit) => {
  const refuse = () => {
    throw new BerthError(code, { detail: { untilMs: 60_000 } });
  };
  const admin = fakeAdmin({
    ...shown,
    'user.devices': () => ({ items: [{ id: 'd-1', name: 'ws-1' }], next: null }),
    'entitlement.show': () => ({ entitlement: { id: 'ent-1', product: 'render' } }),
    'lease.list': () => ({ items: [lease], next: null }),
    'allocation.list': () => ({ items: [allocation], next: null }),
    ...Object.fromEntries(Object.keys(would).map((method) => [method, refuse])),
  });
  const ran = await berth([...line.split(' '), '--dry-run', '--json'], { sdk: admin.sdk });
  expect([ran.exitCode, ran.json()]).toMatchObject([exit, { dryRun: true, would: null, refused: { code } }]);
  expect(ran.stderr).toMatch(/^Would not .* Nothing was changed\.\n/);
  expect(ran.stderr).toMatch(new RegExp(`Would be refused: ${code} .* It ends `));
  const asked = admin.calls.find(({ method }) => method.endsWith('.preview'));
  expect(asked?.params).toEqual(
    line.startsWith('license revoke')
      ? {
          ...{ email: 'a@b.example', product: 'render' },
          ...(line.includes('--all') ? { quantity: 'all', expires: '2026-12-31', pending: true } : {}),
        }
      : line.startsWith('license')
        ? {
            email: 'a@b.example',
            to: 'c@b.example',
            product: 'render',
            quantity: /99/.test(line) ? 99 : 'all',
          }
        : line.startsWith('user')
          ? { email: 'a@b.example', device: 'ws-1' }
          : { id: 'ent-1', ...(line.includes('--pending') ? { pending: true } : {}) },
  );
});

it('what is no answer to the question fails the dry run', async () => {
  const admin = fakeAdmin({
    'entitlement.show': () => ({ entitlement: { id: 'ent-1', product: 'render' } }),
    'lease.list': () => ({ items: [], next: null }),
    'allocation.list': () => ({ items: [], next: null }),
    'entitlement.remove.preview': () => {
      throw new BerthError('CONNECTION_LOST');
    },
  });
  const ran = await berth(['entitlement', 'remove', 'ent-1', '--dry-run', '--json'], { sdk: admin.sdk });
  expect([ran.exitCode, ran.json()]).toMatchObject([5, { error: { code: 'CONNECTION_LOST' } }]);
});

it('of a day only what ends then, and what is used of that', async () => {
  const other = { ...allocation, entitlement: 'ent-2', expires: '2027-12-31' };
  const admin = fakeAdmin({
    ...shown,
    ...would,
    'lease.list': () => ({ items: [lease, { ...lease, id: 'l-2', entitlement: 'ent-2' }], next: null }),
    'allocation.list': () => ({ items: [allocation, other], next: null }),
  });
  const words = ['license', 'revoke', 'lgt07', 'render', '--expires', '2027-12-31', '--dry-run', '--json'];
  const ran = await berth(words, { sdk: admin.sdk });
  expect(ran.json()).toMatchObject({ leases: [{ id: 'l-2' }], allocations: [other] });
});

it.each(['license revoke a@b.example render', 'user remove a@b.example'])(
  'berth %s --dry-run fails for whom nobody knows, as it would',
  async (line) => {
    const unknown = () => {
      throw new BerthError('USER_UNKNOWN');
    };
    const admin = fakeAdmin({ 'user.show': unknown });
    expect((await berth([...line.split(' '), '--dry-run'], { sdk: admin.sdk })).exitCode).toBe(6);
  },
);

it.each([
  ['license list lgt07', 'allocation.list'],
  ['lease list --user lgt07', 'lease.list'],
  ['license revoke lgt07 render', 'allocation.revoke'],
  ['user remove lgt07', 'user.remove'],
  ['user remove lgt07 b@b.example', 'user.remove'],
])('berth %s: a login name goes to the server as it is', async (line, method) => {
  const answers = { items: [], next: null, email: 'a@b.example', leasesRevoked: 0, revoked: 1, left: 0 };
  const admin = fakeAdmin({ [method]: () => answers });
  const ran = await berth([...line.split(' '), '--json'], { sdk: admin.sdk });
  expect([ran.exitCode, admin.calls[0]]).toMatchObject([0, { method, params: { email: 'lgt07' } }]);
});

it('berth user remove --dry-run: what the server would refuse is said, with its exit code', async () => {
  const refused = { ...agreed, verdict: 'failed', code: 'BORROWED', message: 'They have borrowed it.' };
  const admin = fakeAdmin({
    ...shown,
    ...judged(refused),
    'lease.list': () => ({ items: [lease], next: null }),
    'allocation.list': () => ({ items: [], next: null }),
  });
  const ran = await berth(['user', 'remove', 'a@b.example', '--dry-run', '--json'], { sdk: admin.sdk });
  expect(ran.exitCode).toBe(8);
  expect(ran.json()).toMatchObject({ dryRun: true, verdicts: [refused] });
  expect(ran.stderr).toContain('Would be refused for a@b.example: BORROWED They have borrowed it.');
  const [put, preview] = admin.calls.filter(({ method }) => method.startsWith('bulk.'));
  expect(put!.params).toMatchObject({ rows: [{ line: 1, cells: ['a@b.example'] }] });
  expect(preview!.params).toMatchObject({ kind: 'remove' });
});

it.each([
  ['user remove lgt07', 'Would remove a@b.example (lgt07). There: '],
  ['user remove a@b.example', 'Would remove a@b.example. There: '],
  ['license revoke lgt07 render', 'Would revoke 1 seat of render from a@b.example (lgt07). There: '],
])('berth %s --dry-run says whose a login name is', async (line, said) => {
  const nothing = () => ({ items: [], next: null });
  const admin = fakeAdmin({
    ...shown,
    ...judged(agreed),
    ...would,
    'lease.list': nothing,
    'allocation.list': nothing,
  });
  const ran = await berth([...line.split(' '), '--dry-run'], { sdk: admin.sdk });
  expect([ran.exitCode, ran.stderr]).toEqual([0, expect.stringContaining(said)]);
});

it('berth user remove LOGIN asks for whom the login name means, and nothing was removed if that is another', async () => {
  const admin = fakeAdmin(shown);
  const ran = await berth(['user', 'remove', 'lgt07'], { sdk: admin.sdk, answers: ['n'] });
  expect([ran.exitCode, ran.stderr]).toEqual([3, expect.stringContaining('Remove a@b.example (lgt07)?')]);
  expect(admin.calls.map(({ method }) => method)).toEqual(['user.show']);
});

it('what is refused altogether is not said to happen; of several the others are', async () => {
  const refused = { ...agreed, verdict: 'failed', code: 'USER_UNKNOWN', message: 'They were removed.' };
  const nothing = () => ({ items: [], next: null });
  const lists = { ...shown, 'lease.list': nothing, 'allocation.list': nothing };
  const one = await berth(['user', 'remove', 'a@b.example', '--dry-run'], {
    sdk: fakeAdmin({ ...lists, ...judged(refused) }).sdk,
  });
  expect([one.exitCode, one.stderr]).toEqual([6, expect.stringContaining('Would not remove a@b.example.')]);
  const both = fakeAdmin({
    ...lists,
    ...judged(refused, { ...agreed, line: 2, email: 'c@b.example' }),
    'user.show': ({ email }) => {
      if (email === 'a@b.example') throw new BerthError('USER_UNKNOWN');
      return { user: { email } };
    },
  });
  const two = await berth(['user', 'remove', 'a@b.example', 'c@b.example', '--dry-run'], { sdk: both.sdk });
  expect([two.exitCode, two.stderr]).toEqual([
    1,
    expect.stringContaining('Would remove these 2 users, but for 1 of 2.'),
  ]);
  expect(two.stderr).toContain('Would be refused for a@b.example: USER_UNKNOWN They were removed.');
});

const clock = { state: 'ahead', offMs: 7_200_000, wallMs: 7_200_000, highWaterMs: 0, steadyWallMs: 0 };
const restore = {
  ...{ kind: 'restored', atMs: 0, position: { seq: 1 }, accepted: null, kept: [], missing: [] },
  ...{ openUntilMs: 0, reserveUntilMs: 0, windowUntilMs: 0 },
};

it.each([
  ['machine remove node-17', ['machine.remove.preview'], /take back 2 seats: 1 lease would end/],
  ['mail retry --all', ['mail.retry.preview'], /Would try 3 mails again/],
  ['mail retry m-1', ['mail.retry.preview'], /Would try 3 mails again/],
  ['clock accept', ['clock.show'], /At once 1 borrows and 0 entitlements end/],
  ['restore accept --reason none', ['restore.show'], /Would grant all of this again/],
  ['bulk apply remove --csv gone.csv', ['bulk.put', 'bulk.preview'], /Would be: /],
  ['user invite --csv gone.csv', ['bulk.put', 'bulk.preview'], /Would be: /],
])(
  'berth %s --dry-run is told by the server, asks nobody, and changes nothing',
  async (line, asked, said) => {
    const admin = fakeAdmin({
      ...judged(agreed),
      'machine.remove.preview': () => ({
        machine: { id: 'd-1', name: 'node-17', seats: 2 },
        leasesRevoked: 1,
      }),
      'mail.retry.preview': () => ({ retried: 3 }),
      'clock.show': () => ({ clock, borrowsThatEnd: 1, entitlementsThatEnd: 0 }),
      'restore.show': () => ({ restore }),
    });
    const files = new Map([['gone.csv', 'email\na@b.example\n']]);
    const ran = await berth([...line.split(' '), '--dry-run'], { sdk: admin.sdk, answers: [], files });
    expect([ran.exitCode, ran.stderr]).toEqual([0, expect.stringMatching(said)]);
    expect(ran.stderr).toContain('Nothing was changed.');
    expect(admin.calls.map(({ method }) => method)).toEqual(asked);
    const changing = asked.filter((method) => requests[method as Method].changes);
    expect(changing.filter((method) => method !== 'bulk.put')).toEqual([]);
  },
);

it('berth entitlement import --dry-run asks of each file, and imports none', async () => {
  const files = new Map([
    ['vendor.key', `${formatSecretKey(newSeed())}\n`],
    ['server.pub', `${formatPublicKey(publicKeyOf(newSeed()))}\n`],
  ]);
  const terms = ['--product', 'render', '--seats', '3', '--from', '2026-01-01', '--until', '2026-12-31'];
  const issue = ['vendor', 'issue', '--key', 'vendor.key', '--server', 'server.pub', ...terms];
  expect((await berth([...issue, '--out', 'render.ent'], { files })).exitCode).toBe(0);
  const endorse = [
    'vendor',
    'endorse',
    '--key',
    'vendor.key',
    '--new',
    'server.pub',
    '--out',
    'new.endorsement',
  ];
  expect((await berth(endorse, { files })).exitCode).toBe(0);
  const entitlement = {
    id: 'ent-1',
    rev: 1,
    product: 'render',
    seats: 3,
    from: '2026-01-01',
    until: '2026-12-31',
  };
  const admin = fakeAdmin({
    'entitlement.import.preview': () => ({ entitlement, changed: true }),
    'endorsement.import.preview': () => ({
      endorsement: { vendor: 'v', successor: 's', products: null },
      moved: ['render'],
      changed: true,
    }),
  });
  const ran = await berth(['entitlement', 'import', 'render.ent', 'new.endorsement', '--dry-run'], {
    sdk: admin.sdk,
    files,
  });
  expect([ran.exitCode, ran.stderr]).toEqual([
    0,
    expect.stringMatching(
      /Would import render\.ent: ent-1.*\n.*Would import new\.endorsement.*\n.*Nothing was changed\./,
    ),
  ]);
  expect(admin.calls.map(({ method }) => method)).toEqual([
    'entitlement.import.preview',
    'endorsement.import.preview',
  ]);
});

it('berth machine remove --dry-run fails as the removal would', async () => {
  const admin = fakeAdmin({
    'machine.remove.preview': () => {
      throw new BerthError('BORROWED');
    },
  });
  const ran = await berth(['machine', 'remove', 'node-17', '--dry-run', '--json'], { sdk: admin.sdk });
  expect([ran.exitCode, ran.json()]).toMatchObject([8, { error: { code: 'BORROWED' } }]);
});
