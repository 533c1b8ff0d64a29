import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openAdmin } from '@berth/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Json, type Person, type Ran, Site } from './site.js';

// PRODUCT.md, rows "organisation", "invite users", "remove users", "find users" and "user's own view", through `berth` against `berthd`
// (issue 5, parts 1 and 2). In order.

let site: Site;
let anna: Person;
let bo: Person;

beforeAll(async () => {
  site = await Site.open();
  await site.grant({ seats: 2, borrow: { max: '1d', seats: 1 }, id: 'ent-render' });
  [anna, bo] = (await site.hire('anna@studio.example', 'bo@studio.example')) as [Person, Person];
}, 120_000);

afterAll(() => site?.close());

const owner = (...words: string[]): Promise<Ran> => site.berth(site.owner, [...words, '--json']);
const codeOf = ({ code, json }: Ran): [number, string] => [code, json.error.code];

/** All that its journal says. */
const journalOf = (data: string): string[] =>
  readdirSync(join(data, 'journal')).map((name) =>
    readFileSync(join(data, 'journal', name)).toString('base64'),
  );

describe('invite users', () => {
  test('several: each succeeds or fails alone; exit 1, a report', async () => {
    const { code, json } = await owner(
      'user',
      'invite',
      'cem@studio.example',
      anna.email,
      'dua@studio.example',
    );
    expect(code).toBe(1);
    expect(json).toMatchObject({
      items: [{ ok: true }, { email: anna.email, ok: false, error: { code: 'USER_EXISTS' } }, { ok: true }],
      failed: 1,
    });
  });

  test('--dry-run: what the server would say to each; no user, link, mail or record of the journal is new', async () => {
    const [cem, dua] = ['cem@studio.example', 'dua@studio.example'];
    const open = await site.invite(cem);
    const all = async () => [
      journalOf(site.data),
      (await owner('user', 'list')).json,
      (await owner('user', 'show', cem)).json,
      (await owner('mail', 'list')).json.items.map(({ id }: Json) => id),
    ];
    const before = await all();
    const dryRun = (...words: string[]) => owner('user', 'invite', ...words, '--dry-run');
    const { code, json } = await dryRun('eva@studio.example', cem, anna.email, 'no address');
    expect([code, json]).toMatchObject([
      1,
      {
        dryRun: true,
        items: [
          { user: { email: 'eva@studio.example', role: 'user', state: 'invited' }, ok: true },
          { user: { email: cem }, replaced: true, ok: true },
          { email: anna.email, ok: false, error: { code: 'USER_EXISTS' } },
          { ok: false, error: { code: 'EMAIL_INVALID' } },
        ],
        failed: 2,
      },
    ]);
    expect(JSON.stringify(json)).not.toContain('berth://');
    expect(codeOf(await dryRun('eva@studio.example', '--resend'))).toEqual([6, 'USER_UNKNOWN']);
    expect(codeOf(await dryRun('eva@studio.example', '--role', 'king'))[1]).toBe('ROLE_INVALID');
    expect((await dryRun(cem, dua, '--cancel')).json).toMatchObject({
      items: [{ cancelled: 1 }, { cancelled: 1 }],
      failed: 0,
    });
    expect(await all()).toEqual(before);
    const person = site.person(cem);
    await site.joinWith(person, open);
    await site.berthOk(site.owner, ['user', 'remove', cem, '--yes']);
    await site.invite(cem);
  });

  test('a link that was sent again works and the old one not; a cancelled one not either', async () => {
    const [cem, dua] = [site.person('cem@studio.example'), site.person('dua@studio.example')];
    const old = await site.invite(cem.email);
    // Who is invited may hold seats already, and has them as soon as they have joined.
    await site.berthOk(site.owner, ['license', 'assign', cem.email, 'render']);
    const { link } = (await owner('user', 'invite', cem.email, '--resend')).json;
    expect(codeOf(await site.berth(cem, ['join', old, '--json']))).toEqual([4, 'INVITATION_INVALID']);
    await site.joinWith(cem, link);
    expect((await site.berth(cem, ['run', '--product', 'render', '--', 'true'])).code).toBe(0);
    await site.berthOk(site.owner, ['license', 'revoke', cem.email, 'render']);
    const open = await site.invite(dua.email);
    expect((await owner('user', 'invite', dua.email, '--cancel')).json).toEqual({
      email: dua.email,
      cancelled: 1,
    });
    expect(codeOf(await site.berth(dua, ['join', open, '--json']))).toEqual([4, 'INVITATION_INVALID']);
    expect((await owner('user', 'show', dua.email)).json).toMatchObject({
      user: { state: 'invited' },
      invitation: null,
    });
  });
});

describe('find users', () => {
  test('by role, product, state, login name; sorted, in pages', async () => {
    await site.berthOk(site.owner, ['license', 'assign', bo.email, 'render']);
    await site.berthOk(site.owner, [
      'user',
      'set',
      anna.email,
      '--alias',
      'STUDIO\\LGT07',
      '--name',
      'Anna Ek',
    ]);
    const emails = async (...words: string[]) =>
      (await owner('user', 'list', ...words)).json.items.map(({ email }: Json) => email.split('@')[0]);
    expect(await emails('--product', 'render')).toEqual(['bo']);
    expect(await emails('--state', 'invited')).toEqual(['dua']);
    expect(await emails('--role', 'owner')).toEqual(['it']);
    expect(await emails('--search', 'lgt07')).toEqual(['anna']);
    expect(await emails('--sort', 'seats', '--reverse')).toEqual(['bo', 'it', 'dua', 'cem', 'anna']);
    const { json } = await owner('user', 'list', '--page', '2', '--page-size', '2');
    expect([json.items.map(({ email }: Json) => email), json.total]).toEqual([
      ['cem@studio.example', 'dua@studio.example'],
      5,
    ]);
    expect((await owner('user', 'show', 'studio\\lgt07')).json.user).toMatchObject({
      email: anna.email,
      aliases: ['lgt07'],
    });
    const taken = await owner('user', 'set', bo.email, '--alias', 'lgt07');
    expect(codeOf(taken)).toEqual([8, 'ALIAS_TAKEN']);
  });
});

describe('roles', () => {
  test('nobody grants one above their own; the last owner stays', async () => {
    const adam = site.person('adam@studio.example');
    await site.joinWith(adam, await site.invite(adam.email, '--role', 'admin'));
    const asAdam = (...words: string[]) => site.berth(adam, [...words, '--json']);
    for (const more of [[], ['--dry-run']])
      expect(codeOf(await asAdam('user', 'set', bo.email, '--role', 'owner', ...more))).toEqual([
        4,
        'NOT_ALLOWED',
      ]);
    expect(codeOf(await asAdam('user', 'set', site.owner.email, '--role', 'user'))).toEqual([
      4,
      'NOT_ALLOWED',
    ]);
    const grand = ['user', 'invite', 'eva@studio.example', '--role', 'owner'];
    expect(codeOf(await asAdam(...grand, '--dry-run'))).toEqual([4, 'NOT_ALLOWED']);
    expect(codeOf(await asAdam('org', 'set', '--name', 'Mine'))).toEqual([4, 'NOT_ALLOWED']);
    expect(codeOf(await owner('user', 'set', site.owner.email, '--role', 'admin'))).toEqual([
      8,
      'LAST_OWNER',
    ]);
    const ahead = await asAdam('user', 'set', bo.email, '--role', 'viewer', '--dry-run');
    expect([ahead.code, ahead.json]).toMatchObject([0, { dryRun: true, user: { role: 'viewer' } }]);
    expect((await owner('user', 'show', bo.email)).json.user.role).toBe('user');
    expect((await asAdam('user', 'set', bo.email, '--role', 'viewer')).code).toBe(0);
  });

  test('two admins: the second is told what the first has changed', async () => {
    const admin = await openAdmin({ home: site.owner.home });
    try {
      const was = { role: 'user' } as const;
      const asked = { key: 'k-two-admins-000001', email: bo.email, role: 'admin', was };
      await expect(admin.call('user.set', asked)).rejects.toMatchObject({
        code: 'CHANGED_MEANWHILE',
        detail: { now: { role: 'viewer' }, changed: { by: 'adam@studio.example' } },
      });
    } finally {
      await admin.close();
    }
  });
});

describe('devices, and what one holds', () => {
  test("user's own view: own seats and the shared ones", async () => {
    const { json } = await site.berthOk(bo, ['me', '--json']);
    expect(json).toMatchObject({
      user: { email: bo.email, role: 'viewer' },
      allocations: [{ product: 'render', quantity: 1, personal: false }],
      shared: [{ product: 'render', floatingSharing: true, shared: 1, free: 1 }],
    });
  });

  test('un-enrol: the offline block, then locked out', async () => {
    await site.berthOk(bo, ['borrow', 'take', '--product', 'render', '--for', '1h']);
    expect((await owner('user', 'set', bo.email, '--alias', 'lgt09')).code).toBe(0);
    expect((await owner('lease', 'list', '--user', 'STUDIO\\LGT09')).json.items).toMatchObject([
      { user: bo.email, kind: 'borrow' },
    ]);
    const [device] = (await owner('user', 'devices', bo.email)).json.items;
    expect(device).toMatchObject({ scopes: ['lease'], borrows: 1 });
    const refused = await owner('user', 'unenrol', bo.email, device.id, '--yes');
    expect(codeOf(refused)).toEqual([8, 'BORROWED']);
    expect(refused.json.error.message).toBe(
      `The source user ${bo.email} has borrowed licenses for offline use. To reallocate them, the borrowing period should first expire or the user should release them for offline use.`,
    );
    await site.berthOk(bo, ['borrow', 'return']);
    expect((await owner('user', 'unenrol', bo.email, device.name, '--yes')).code).toBe(0);
    expect(codeOf(await site.berth(bo, ['me', '--json']))).toEqual([4, 'DEVICE_UNKNOWN']);
  });
});

test('remove users: several, those who have something stay', async () => {
  const { code, json } = await owner('user', 'remove', bo.email, 'dua@studio.example', '--yes');
  expect([code, json.failed]).toEqual([1, 1]);
  expect(json.items).toMatchObject([{ ok: false, error: { code: 'ALLOCATED' } }, { ok: true }]);
  const removed = (await owner('user', 'list', '--state', 'removed')).json.items;
  expect(removed).toMatchObject([{ email: 'dua@studio.example', removed: { by: site.owner.email } }]);
  expect((await owner('user', 'show', 'dua@studio.example')).json.user).toMatchObject({ state: 'removed' });
});

test('organisation: the tiles, and a new name that survives a kill', async () => {
  await site.berthOk(site.owner, ['org', 'set', '--name', 'Studio South']);
  const { stderr } = await site.berthOk(site.owner, ['org', 'set', '--name', 'Studio North']);
  expect(stderr).toMatch(/Before: "Studio South"; last changed .* by it@/);
  await site.server!.kill();
  await site.serve();
  expect((await owner('org', 'show')).json).toMatchObject({
    ...{ name: 'Studio North', users: 5, invited: 0, products: 1, sharing: 1, credits: 0 },
  });
  expect((await owner('whoami')).json.organisation).toEqual({ name: 'Studio North' });
});
