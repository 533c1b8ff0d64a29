import { newSeed, publicKeyOf } from '@berth/cli/ed25519';
import { BerthError } from '@berth/client';
import { formatOfflineFile, formatPublicKey } from '@berth/protocol';
import { describe, expect, it } from 'vitest';
import { berth, fakeAdmin } from './fake-host.js';

// Dry runs of which the server is asked one question for each thing, and what it says is said.

const nothing = () => ({ items: [], next: null });

describe('berth user invite --dry-run', () => {
  const user = { name: '', role: 'user', state: 'invited' };
  const would = (refused?: string) =>
    fakeAdmin({
      'user.invite.preview': ({ email }) => {
        if (email === refused) throw new BerthError('USER_EXISTS');
        return { user: { ...user, email }, expiresAtMs: Date.UTC(2026, 0, 22), replaced: true };
      },
      'user.invitation.cancel.preview': ({ email }) => ({ email, cancelled: email === 'a@b.org' ? 1 : 0 }),
    });

  it('asks for each, and invites nobody', async () => {
    const admin = would('bo@b.org');
    const words = ['user', 'invite', 'A@b.org', 'bo@b.org', 'no address', 'a@B.org', '--role', 'viewer'];
    const ran = await berth([...words, '--dry-run', '--json'], { sdk: admin.sdk });
    expect([ran.exitCode, ran.json()]).toMatchObject([
      1,
      {
        dryRun: true,
        items: [
          { email: 'a@b.org', ok: true, replaced: true },
          { email: 'bo@b.org', ok: false, error: { code: 'USER_EXISTS' } },
          { email: 'no address', ok: false, error: { code: 'EMAIL_INVALID' } },
        ],
        failed: 2,
      },
    ]);
    expect(admin.calls).toEqual(
      ['a@b.org', 'bo@b.org'].map((email) => ({
        method: 'user.invite.preview',
        params: { email, role: 'viewer' },
      })),
    );
    expect(ran.stderr).toMatch(/Would invite a@b\.org \(user\)\. They have a link .* would end .*6 d/);
    expect(ran.stderr).toMatch(/2 of 3 failed\.\nNothing was changed\.\n$/);
  });

  it('of one: its refusal is that of the invitation', async () => {
    const ran = await berth(['user', 'invite', 'bo@b.org', '--dry-run', '--json'], {
      sdk: would('bo@b.org').sdk,
    });
    expect([ran.exitCode, ran.json()]).toMatchObject([1, { error: { code: 'USER_EXISTS' } }]);
  });

  it('--cancel: whose link would end', async () => {
    const admin = would();
    const words = ['user', 'invite', 'a@b.org', 'bo@b.org', '--cancel', '--dry-run'];
    const ran = await berth(words, { sdk: admin.sdk });
    expect([ran.exitCode, ran.stdout]).toEqual([0, '']);
    expect(ran.stderr).toBe(
      'Would cancel the link of a@b.org.\nNo link of bo@b.org is open.\nNothing was changed.\n',
    );
    expect(admin.calls.map(({ method }) => method)).toEqual(Array(2).fill('user.invitation.cancel.preview'));
  });
});

it('berth sharing --dry-run says of each product what the server would make of it', async () => {
  const admin = fakeAdmin({
    'lease.list': nothing,
    'allocation.list': nothing,
    'sharing.set.preview': () => ({
      products: [
        { product: 'render', floatingSharing: false, changed: true, leasesRevoked: 2, seatsRunning: 0 },
        { product: 'gui', floatingSharing: false, changed: false, leasesRevoked: 0, seatsRunning: 3 },
      ],
    }),
  });
  const ran = await berth(['sharing', 'off', '--cut', '--dry-run'], { sdk: admin.sdk, answers: [] });
  expect([ran.exitCode, ran.stderr]).toEqual([
    0,
    expect.stringContaining(
      'Floating sharing of render would be off. 2 leases of shared seats would end.\nFloating sharing of gui would stay off. 3 seats in use until released.\n',
    ),
  ]);
  expect(admin.calls.at(-1)).toEqual({
    method: 'sharing.set.preview',
    params: { on: false, running: 'cut' },
  });
  const unknown = fakeAdmin({
    'lease.list': nothing,
    'allocation.list': nothing,
    'sharing.set.preview': () => {
      throw new BerthError('PRODUCT_UNKNOWN');
    },
  });
  const refused = await berth(['sharing', 'on', '--product', 'x', '--dry-run'], { sdk: unknown.sdk });
  expect([refused.exitCode, refused.stderr]).toEqual([6, expect.stringContaining('Would be refused')]);
});

it.each([
  [
    'off --product render',
    { product: 'render' },
    ['go on until it is released', 'go on until it is returned', 'end'],
  ],
  ['off --cut', {}, ['end', 'go on until it is returned', 'end']],
  ['on', null, []],
])(
  'berth sharing %s --dry-run: the shared seats in use, and which would end',
  async (line, filter, fates) => {
    const shared = {
      ...{ id: 'l-1', product: 'render', seats: 1, kind: 'online' },
      state: 'open',
      allocated: false,
    };
    const items = [
      ...[shared, { ...shared, kind: 'borrow' }, { ...shared, state: 'lingering' }],
      { ...shared, allocated: true },
    ];
    const admin = fakeAdmin({
      'lease.list': () => ({ items, next: null }),
      'sharing.set.preview': () => ({ products: [] }),
    });
    const words = ['sharing', ...line.split(' '), '--dry-run', '--json'];
    const ran = await berth(words, { sdk: admin.sdk, answers: [] });
    const leases = fates.map((would, at) => ({ ...items[at], would }));
    expect(ran.json()).toMatchObject({ dryRun: true, leases, allocations: [] });
    const asked = admin.calls.filter(({ method }) => method !== 'sharing.set.preview');
    expect(asked.map(({ params }) => params)).toEqual(
      filter === null ? [] : [{ limit: expect.any(Number), ...filter }],
    );
  },
);

it('berth user remove --dry-run of several: each is judged alone and whoever is named twice once, as when they are removed', async () => {
  const rows: unknown[] = [];
  const admin = fakeAdmin({
    'user.show': ({ email }) => {
      if (email === 'bad@@') throw new BerthError('EMAIL_INVALID');
      return { user: { email } };
    },
    'lease.list': nothing,
    'allocation.list': () => ({
      items: [{ email: 'a@b.example', quantity: 2, entitlement: 'e' }],
      next: null,
    }),
    'bulk.put': (params) => rows.push(...(params.rows as { cells: string[] }[]).map(({ cells }) => cells[0])),
    'bulk.preview': () => ({
      items: rows.map((email) => ({
        email,
        ...(email === 'bad@@' ? { verdict: 'failed', code: 'EMAIL_INVALID' } : { verdict: 'done' }),
      })),
      next: null,
    }),
  });
  const words = ['user', 'remove', 'A@b.example', 'bad@@', 'a@b.example ', '--dry-run'];
  const ran = await berth(words, { sdk: admin.sdk });
  expect(rows).toEqual(['a@b.example', 'bad@@']);
  expect([ran.exitCode, ran.stderr]).toEqual([1, expect.stringContaining('2 seats set aside')]);
  expect(ran.stderr).toContain('but for 1 of 2');
});

it('berth user remove --dry-run of one who is named twice ends as of several, with 1', async () => {
  const admin = fakeAdmin({
    'user.show': ({ email }) => ({ user: { email } }),
    'lease.list': nothing,
    'allocation.list': nothing,
    'bulk.put': () => ({ received: 1 }),
    'bulk.preview': () => ({
      items: [{ email: 'a@b.example', verdict: 'failed', code: 'ALLOCATED', message: 'No.' }],
      next: null,
    }),
  });
  const words = ['user', 'remove', 'a@b.example', '--dry-run'];
  expect((await berth(words, { sdk: admin.sdk })).exitCode).toBe(8);
  expect((await berth([...words, 'A@B.example'], { sdk: admin.sdk })).exitCode).toBe(1);
});

it('berth license assign --dry-run asks what it would be, and with --from what license move would', async () => {
  const admin = fakeAdmin({
    'allocation.move.preview': () => ({ email: 'a@b.example', moved: 3 }),
    'user.show': ({ email }) => ({ user: { email } }),
    'lease.list': nothing,
    'allocation.list': nothing,
    'allocation.assign.preview': ({ quantity }) => ({
      allocation: {
        email: 'a@b.example',
        product: 'render',
        quantity,
        expires: '2026-12-31',
        entitlement: 'ent-1',
      },
    }),
  });
  const assign = ['license', 'assign', 'a@b.example', 'render', '--quantity', '5', '--dry-run'];
  const ran = await berth(assign, { sdk: admin.sdk });
  expect([ran.exitCode, ran.stderr]).toEqual([
    0,
    'Would assign 5 seats of render to a@b.example. There: 0 seats in use and 0 seats set aside. Nothing was changed.\na@b.example would have 5 seats of render until 2026-12-31 (ent-1).\n',
  ]);
  expect(admin.calls.at(-1)).toEqual({
    method: 'allocation.assign.preview',
    params: { email: 'a@b.example', product: 'render', quantity: 5 },
  });
  const from = await berth([...assign, '--from', 'c@b.example', '--json'], { sdk: admin.sdk });
  expect([from.exitCode, from.json()]).toMatchObject([0, { dryRun: true, would: { moved: 3 } }]);
  expect(admin.calls.at(-1)).toEqual({
    method: 'allocation.move.preview',
    params: { email: 'c@b.example', to: 'a@b.example', product: 'render', quantity: 5 },
  });
});

it('berth borrow accept-return --dry-run asks of all that is in the file, and takes nothing back', async () => {
  const device = formatPublicKey(publicKeyOf(newSeed()));
  const stops = Array.from({ length: 13 }, (_, at) => `a.b.c${at}`);
  const files = new Map([
    ['return.json', formatOfflineFile({ berth: 'borrow-return', version: 1, device, stops })],
  ]);
  const admin = fakeAdmin({
    'borrow.accept.preview': ({ stops }) => ({
      returned: (stops as string[]).map((stop) => ({ lease: `l-${stop}`, freeAtMs: 0 })),
    }),
  });
  const words = ['borrow', 'accept-return', 'return.json', '--dry-run'];
  const ran = await berth([...words, '--json'], { sdk: admin.sdk, files });
  expect([ran.exitCode, ran.json()]).toMatchObject([
    0,
    { dryRun: true, items: Array(13).fill({ freeAtMs: 0 }) },
  ]);
  expect(ran.stderr).toMatch(/Would return l-a\.b\.c12; its seat would be free .*\nNothing was changed\.\n$/);
  expect(admin.calls.map(({ method }) => method)).toEqual(Array(2).fill('borrow.accept.preview'));
});

describe('berth borrow return --dry-run', () => {
  const borrow = {
    ...{ id: 'b-1', product: 'render', leaseIds: ['b-1'], earlyReturn: 'at-once' },
    freeAtMs: Date.UTC(2026, 0, 22),
  };
  const asked: object[] = [];
  const borrowsToReturn = async (options: object = {}) => {
    asked.push(options);
    return 'product' in options && options.product === 'gui'
      ? []
      : [borrow, { ...borrow, id: 'b-2', earlyReturn: 'at-expiry' }];
  };
  const dryRun = (...words: string[]) => {
    const files = new Map([['there.json', 'mine']]);
    const sdk = { borrowsToReturn } as never;
    return berth(['borrow', 'return', ...words, '--dry-run'], { sdk, files });
  };

  it('says what would be returned, and returns nothing', async () => {
    const ran = await dryRun('--json');
    expect([ran.exitCode, ran.json()]).toMatchObject([
      0,
      { dryRun: true, items: [{ id: 'b-1', product: 'render' }, { id: 'b-2' }] },
    ]);
    expect(ran.stderr).toMatch(
      /^Would return b-1 \(render\); its seat would be free at once\.\nWould return b-2 .* on Thu, 22 Jan .*\nNothing was changed\.\n$/,
    );
    expect(asked.at(-1)).toMatchObject({ inFile: false });
  });

  it('of a file: it is not written, and none that is there would be', async () => {
    const ran = await dryRun('b-1', '--out', 'new.json');
    expect([ran.exitCode, ran.stderr]).toEqual([
      0,
      expect.stringContaining('b-1 (render) would not be used here any more.'),
    ]);
    expect(asked.at(-1)).toMatchObject({ inFile: true, id: 'b-1' });
    expect((await dryRun('--out', 'there.json')).stderr).toContain('FILE_EXISTS');
  });

  it('of a product of which nothing is borrowed fails as the return does', async () => {
    const ran = await dryRun('--product', 'gui', '--json');
    expect([ran.exitCode, ran.json()]).toMatchObject([6, { error: { code: 'BORROW_UNKNOWN' } }]);
  });
});

describe('--cancel --dry-run: what is pending that would be taken back', () => {
  const removal = ({ email, id }: { email?: string; id?: string }) => {
    if (email === 'c@b.example') throw new BerthError('USER_UNKNOWN');
    return { ...(email === undefined ? { id } : { email }), cancelled: [email, id].includes('a@b.example') };
  };
  const admin = () =>
    fakeAdmin({
      'user.remove.preview': removal,
      'entitlement.remove.preview': removal,
      'allocation.revoke.preview': ({ product }) => ({
        ...{ email: 'a@b.example', product, revoked: 0, left: 3, leasesRevoked: 0 },
        cancelled: product === 'render' ? 2 : 0,
      }),
    });

  it.each([
    ['user remove A@b.example', 'a@b.example would stay: the pending removal would be cancelled.\n'],
    ['user remove bo@b.example', 'No removal of bo@b.example is pending.\n'],
    ['entitlement remove ent-1', 'No removal of entitlement ent-1 is pending. '],
    [
      'license revoke a@b.example render',
      'Would cancel the pending revoke of 2 seats of render; a@b.example would keep 3. ',
    ],
    ['license revoke a@b.example gui --all', 'No revoke of gui from a@b.example is pending. '],
  ])('berth %s', async (line, said) => {
    const { sdk, calls } = admin();
    const ran = await berth([...line.split(' '), '--cancel', '--dry-run'], { sdk, answers: [] });
    expect([ran.exitCode, ran.stdout, ran.stderr]).toEqual([0, '', `${said}Nothing was changed.\n`]);
    expect(calls).toMatchObject([{ method: expect.stringMatching(/\.preview$/), params: { cancel: true } }]);
  });

  it('of several each is asked of alone', async () => {
    const { sdk } = admin();
    const words = ['a@b.example', 'c@b.example', 'A@b.example', '--cancel', '--dry-run', '--json'];
    const ran = await berth(['user', 'remove', ...words], { sdk });
    expect([ran.exitCode, ran.json()]).toMatchObject([
      1,
      {
        dryRun: true,
        items: [
          { email: 'a@b.example', ok: true, cancelled: true },
          { email: 'c@b.example', ok: false, error: { code: 'USER_UNKNOWN' } },
        ],
        failed: 1,
      },
    ]);
  });
});

it('berth user set --dry-run and pool set --dry-run say what else would change', async () => {
  const settings = {
    idleSeconds: null,
    lingerSeconds: null,
    borrowSeatsMax: null,
    borrowSeatsPerUserMax: null,
  };
  const { sdk, calls } = fakeAdmin({
    'user.set.preview': ({ email, role }) => ({
      user: { email, role, name: '', aliases: ['lgt07'] },
      changed: true,
      linksEnded: 1,
    }),
    'pool.set.preview': ({ product }) => ({ product, settings, changed: true, lingersEnded: 2 }),
  });
  const user = await berth(['user', 'set', 'A@b.example', '--role', 'admin', '--dry-run'], { sdk });
  expect([user.exitCode, user.stderr]).toEqual([
    0,
    'a@b.example would be admin, login names lgt07.\nThe link they have would end with it, since it is for a lower role.\nNothing was changed.\n',
  ]);
  const pool = await berth(['pool', 'set', 'render', '--linger-seconds', 'off', '--dry-run'], { sdk });
  expect([pool.exitCode, pool.stderr]).toEqual([
    0,
    'Would change the pool of render.\nWould be free by it: 2 seats that linger.\nNothing was changed.\n',
  ]);
  expect(calls).toEqual([
    { method: 'user.set.preview', params: { email: 'a@b.example', role: 'admin' } },
    { method: 'pool.set.preview', params: { product: 'render', lingerSeconds: null } },
  ]);
});
