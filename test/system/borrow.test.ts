import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Person, type Ran, Site } from './site.js';

// The story of one borrow, each test a chapter: they run in order.

const BLOCKED =
  'The source user anna@studio.example has borrowed licenses for offline use. To reallocate them, ' +
  'the borrowing period should first expire or the user should release them for offline use.';
const HOUR_MS = 3_600_000;

let site: Site;
let anna: Person;
let bo: Person;

beforeAll(async () => {
  site = await Site.open();
  await site.grant({ seats: 2, share: 'process', borrow: { max: '3h', seats: 1 }, id: 'ent-render' });
  await site.grant({ product: 'comp', seats: 1 });
  [anna, bo] = (await site.hire('anna@studio.example', 'bo@studio.example')) as [Person, Person];
}, 120_000);

afterAll(() => site?.close());

const takeHours = (who: Person, hours: number): Promise<Ran> =>
  site.berth(who, ['borrow', 'take', '--product', 'render', '--for', `${hours}h`, '--json']);
const listed = async (key = site.vendorKey): Promise<Ran['json']> =>
  (await site.berthOk(anna, ['borrow', 'list', '--vendor-key', key, '--json'])).json;

describe('taking', () => {
  test('a seat is assigned and borrowed: it counts as borrowed, on the allocation', async () => {
    await site.berthOk(site.owner, ['license', 'assign', anna.email, 'render']);
    const { code, json, stderr } = await takeHours(anna, 1);
    expect([code, stderr]).toEqual([0, expect.stringContaining('Borrowed 1 seat of render')]);
    expect(json.borrow).toMatchObject({
      product: 'render',
      seats: 1,
      state: 'valid',
      fault: null,
      earlyReturn: 'at-once',
    });
    expect(json.borrow.expiresAtMs).toBeGreaterThan(Date.now() + 0.9 * HOUR_MS);
    expect(json.borrow.freeAtMs).toBeGreaterThan(json.borrow.expiresAtMs);
    expect(await site.pool()).toMatchObject({
      owned: 2,
      allocated: 1,
      shared: 1,
      inUse: 0,
      borrowed: 1,
      free: 1,
    });
    const { items } = (await site.berthOk(site.owner, ['license', 'list', '--json'])).json;
    expect(items).toMatchObject([
      { email: anna.email, quantity: 1, inUse: 0, borrowed: 1, entitlement: 'ent-render' },
    ]);
  });

  test('borrowing again extends it: the same seat, for longer', async () => {
    const { json } = await takeHours(anna, 2);
    expect(json.borrow.leaseIds).toHaveLength(2);
    expect(json.borrow.expiresAtMs).toBeGreaterThan(Date.now() + 1.9 * HOUR_MS);
    expect(await site.pool()).toMatchObject({ borrowed: 1, free: 1 });
    expect((await listed()).items).toHaveLength(1);
  });

  test.each([
    ['longer than the entitlement allows', 'render', '4h', 'BORROW_TOO_LONG', 2],
    ['beyond the borrowed seats it allows', 'render', '1h', 'BORROW_LIMIT', 7],
    ['a product that may not be borrowed', 'comp', '1h', 'BORROW_NOT_ALLOWED', 7],
    ['a product nobody has', 'nothing', '1h', 'NO_PRODUCT', 7],
    ['a product that is mistyped', 'rendr', '1h', 'NO_PRODUCT', 7],
  ])('refused: %s', async (_, product, span, error, exit) => {
    const { code, stderr, json } = await site.berth(bo, [
      'borrow',
      'take',
      '--product',
      product,
      '--for',
      span,
      '--json',
    ]);
    expect([code, json.error.code]).toEqual([exit, error]);
    expect(stderr).toContain(`berth: ${error} `);
    expect(json.error.next).toMatch(product === 'rendr' ? /^Did you mean render\? / : /./);
  });
});

describe('without the server', () => {
  beforeAll(() => site.kill());
  afterAll(async () => {
    await site.serve();
  });

  test('the borrow is verified by the key of the vendor alone', async () => {
    const { items, next } = await listed();
    expect(items).toMatchObject([{ product: 'render', seats: 1, state: 'valid', fault: null }]);
    expect(next).toBeNull();
  });

  test('by the key of another vendor it is worth nothing', async () => {
    const stranger = (
      await site.berthOk(anna, ['vendor', 'keygen', '--out', `${site.folder}/stranger`, '--json'])
    ).json;
    expect((await listed(stranger.publicKey)).items).toMatchObject([
      { state: 'invalid', fault: 'VENDOR_UNKNOWN' },
    ]);
  });

  test('a plugin starts on it, is killed, and the next one starts on it', async () => {
    for (const end of ['killed', 'closed']) {
      const plugin = site.plugin(anna);
      expect(await plugin.hear({ event: 'ready' })).toMatchObject({ online: false });
      plugin.tell('checkout');
      expect(await plugin.hear({ order: 'checkout' })).toMatchObject({
        event: 'done',
        kind: 'borrow',
        state: 'held',
      });
      if (end === 'killed') await plugin.kill();
      plugin.tell('close');
      if (end === 'closed') expect((await plugin.exited).code).toBe(0);
    }
  });

  test('berth run needs no server either', async () => {
    const { code, stdout } = await site.berth(anna, ['run', '--product', 'render', '--', 'echo', 'ran']);
    expect([code, stdout]).toEqual([0, 'ran\n']);
  });

  test('who has no borrow is told that no server can be reached', async () => {
    const { code, stderr } = await site.berth(bo, ['run', '--product', 'render', '--', 'echo', 'ran']);
    expect([code, stderr]).toEqual([5, expect.stringContaining('berth: UNREACHABLE ')]);
  });

  test('a return is refused for now, and the borrow is as good as before', async () => {
    const { code } = await site.berth(anna, ['borrow', 'return', '--json']);
    expect(code).toBe(5);
    expect((await listed()).items).toMatchObject([{ state: 'valid' }]);
  });
});

describe('I8: nothing takes it away, also after the server and the client were killed', () => {
  const deeds = [
    ['revoke the allocation', ['license', 'revoke', 'anna@studio.example', 'render']],
    ['revoke all of it', ['license', 'revoke', 'anna@studio.example', 'render', '--all', '--yes']],
    ['remove the user', ['user', 'remove', 'anna@studio.example', '--yes']],
    ['remove the entitlement', ['entitlement', 'remove', 'ent-render', '--yes']],
  ] as const;

  test.each(deeds)('the admin cannot %s: BORROWED, exit 8, until when', async (_, words) => {
    const { code, stderr, json } = await site.berth(site.owner, [...words, '--json']);
    expect([code, json.error.code, json.error.message]).toEqual([8, 'BORROWED', BLOCKED]);
    expect(stderr).toContain(`berth: BORROWED ${BLOCKED}\n`);
    expect(stderr).toMatch(/^It ends .*in \d/m);
    const [borrow] = (await listed()).items;
    expect(json.error.untilMs).toBe(borrow.freeAtMs);
    expect(await site.pool()).toMatchObject({ owned: 2, allocated: 1, borrowed: 1 });
  });

  test('the admin cannot release the lease by force', async () => {
    const { items } = (await site.berthOk(site.owner, ['lease', 'list', '--json'])).json;
    const borrow = items.find((lease: { kind: string }) => lease.kind === 'borrow');
    const { code, json } = await site.berth(site.owner, ['lease', 'release', borrow.id, '--yes', '--json']);
    expect([code, json.error.code, json.error.message]).toEqual([8, 'BORROWED', BLOCKED]);
  });

  test('the vendor cannot shrink it away with a new revision', async () => {
    const plain = await site.issue({ seats: 1, share: 'process', id: 'ent-render', more: ['--rev', '2'] });
    const { code, stderr } = await site.berth(site.owner, ['entitlement', 'import', plain]);
    expect([code, stderr.split('\n')[0]]).toEqual([8, `berth: BORROWED ${BLOCKED}`]);
    // One seat is enough for the borrow and the allocation, as long as it may still be borrowed that long.
    const smaller = {
      seats: 1,
      share: 'process',
      borrow: { max: '3h', seats: 1 },
      id: 'ent-render',
    } as const;
    const file = await site.issue({ ...smaller, more: ['--rev', '2'] });
    await site.berthOk(site.owner, ['entitlement', 'import', file]);
    expect(await site.pool()).toMatchObject({ owned: 1, allocated: 1, borrowed: 1, free: 0, over: 0 });
    const bigger = { seats: 2, share: 'process', borrow: { max: '3h', seats: 1 }, id: 'ent-render' } as const;
    await site.grant({ ...bigger, more: ['--rev', '3'] });
  });
});

describe('returning', () => {
  test('from a new process, early: the seat is free at once and the revoke succeeds', async () => {
    const would = (await site.berthOk(anna, ['borrow', 'return', '--dry-run', '--json'])).json;
    expect(await site.pool()).toMatchObject({ borrowed: 1 });
    const { json } = await site.berthOk(anna, ['borrow', 'return', '--json']);
    expect(would.items).toMatchObject([{ id: json.items[0].id, leaseIds: json.items[0].leaseIds }]);
    expect(json.items).toMatchObject([{ product: 'render' }]);
    expect(json.items[0].leaseIds).toHaveLength(2);
    expect(await site.pool()).toMatchObject({ borrowed: 0, free: 2, allocated: 1 });
    expect((await listed()).items).toEqual([]);
    const revoked = await site.berthOk(site.owner, ['license', 'revoke', anna.email, 'render', '--json']);
    expect(revoked.json).toMatchObject({
      email: anna.email,
      product: 'render',
      revoked: 1,
      left: 0,
      leasesRevoked: 0,
    });
    expect(await site.pool()).toMatchObject({ allocated: 0, shared: 2 });
  });

  test('again: there is nothing to return, and nothing to revoke', async () => {
    expect((await site.berthOk(anna, ['borrow', 'return', '--json'])).json).toEqual({
      items: [],
      next: null,
    });
    const { code, json } = await site.berth(site.owner, [
      'license',
      'revoke',
      anna.email,
      'render',
      '--json',
    ]);
    expect([code, json.error.code]).toEqual([6, 'ALLOCATION_UNKNOWN']);
  });

  test('a running seat is converted by a borrow, and free again when both have ended', async () => {
    const plugin = site.plugin(anna);
    await plugin.hear({ event: 'ready' });
    plugin.tell('checkout');
    expect(await plugin.hear({ order: 'checkout' })).toMatchObject({ kind: 'online', state: 'held' });
    plugin.tell('borrow 3600');
    await plugin.hear({ order: 'borrow', event: 'done' });
    plugin.tell('state');
    expect(await plugin.hear({ order: 'state' })).toMatchObject({ kind: 'borrow', state: 'held' });
    expect(await site.pool()).toMatchObject({ inUse: 0, borrowed: 1, free: 1 });
    plugin.tell('return');
    expect(await plugin.hear({ order: 'return' })).toMatchObject({ event: 'failed', code: 'IN_USE' });
    const dryRun = await site.berth(anna, ['borrow', 'return', '--dry-run', '--json']);
    expect(dryRun.json.error.code).toBe('IN_USE');
    plugin.tell('release');
    await plugin.hear({ order: 'release' });
    plugin.tell('close');
    expect((await plugin.exited).code).toBe(0);
    await site.berthOk(anna, ['borrow', 'return']);
  });
});

test('the auditor has nothing to say', async () => {
  await site.stop();
  expect((await site.check()).json).toMatchObject({ ok: true });
  const { findings, judged } = site.audit();
  expect(findings).toEqual([]);
  expect(judged.borrows).toBe(3);
});
