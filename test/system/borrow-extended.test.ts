import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Json, type Person, type Ran, Site } from './site.js';

// Borrows and what an admin wants meanwhile (I8), on real processes; each test a chapter: they run in order.

let site: Site;
let anna: Person;
let bo: Person;

beforeAll(async () => {
  site = await Site.open();
  await site.grant({ seats: 5, share: 'process', borrow: { max: '9h', seats: 4 }, id: 'ent-render' });
  [anna, bo] = (await site.hire('anna@studio.example', 'bo@studio.example')) as [Person, Person];
}, 120_000);

afterAll(() => site?.close());

const owner = (...words: string[]): Promise<Ran> => site.berth(site.owner, [...words, '--json']);
const done = async (...words: string[]): Promise<Json> =>
  (await site.berthOk(site.owner, [...words, '--json'])).json;
const take = (who: Person, span: string): Promise<Ran> =>
  site.berth(who, ['borrow', 'take', '--product', 'render', '--for', span, '--json']);
const revoke = (...more: string[]): Promise<Ran> => owner('license', 'revoke', anna.email, 'render', ...more);

describe('a pending revoke', () => {
  test('of three seats with one borrowed takes two at once and leaves one pending', async () => {
    await done('license', 'assign', anna.email, 'render', '--quantity', '3');
    const { json: borrowed } = await take(anna, '1h');
    expect((await revoke('--quantity', '3')).json.error.code).toBe('BORROWED');
    const { code, json, stderr } = await revoke('--quantity', '3', '--pending');
    expect([code, json]).toEqual([
      0,
      expect.objectContaining({ revoked: 2, left: 1, pending: 1, pendingUntilMs: borrowed.borrow.freeAtMs }),
    ]);
    expect(stderr).toContain('pending');
  });

  test('is on disk: the server is killed, and knows it; the list shows it', async () => {
    await site.kill();
    await site.serve();
    const { items } = await done('license', 'list', anna.email);
    expect(items).toMatchObject([
      { quantity: 1, borrowed: 1, revoking: { seats: 1, by: site.owner.email, untilMs: expect.any(Number) } },
    ]);
    const { stdout } = await site.berthOk(site.owner, ['license', 'list']);
    expect(stdout).toContain('REVOKE PENDING');
    const hers = (await site.berthOk(anna, ['me'])).stdout.split('\n');
    const row = hers.findIndex((line) => line.includes('REVOKE PENDING')) + 1;
    expect(hers[row]).toMatch(/ 1 until .* \(in /);
  });

  test('blocks the extension and an assignment, and says until when', async () => {
    const { code, json, stderr } = await take(anna, '2h');
    expect([code, json.error.code, json.error.rule]).toEqual([8, 'REVOKE_PENDING', 'REVOKE_PENDING']);
    expect(stderr).toMatch(/^It ends .*in /m);
    expect((await owner('license', 'assign', anna.email, 'render')).json.error.code).toBe('REVOKE_PENDING');
    expect((await revoke('--pending')).json).toMatchObject({ revoked: 0, pending: 1 });
  });

  test('is cancelled, and the borrow is lent for longer again', async () => {
    expect((await revoke('--cancel', '--dry-run')).json).toMatchObject({
      ...{ dryRun: true, email: anna.email, cancelled: 1, left: 1 },
    });
    expect((await revoke('--cancel')).json).toMatchObject({ cancelled: 1, left: 1 });
    expect((await revoke('--cancel', '--dry-run')).json).toMatchObject({ cancelled: 0, left: 1 });
    expect((await revoke('--dry-run')).json.refused).toMatchObject({ code: 'BORROWED' });
    expect((await revoke('--pending', '--dry-run')).json.would).toMatchObject({ revoked: 0, pending: 1 });
    expect((await take(anna, '2h')).code).toBe(0);
    expect((await revoke('--pending', '--cancel')).code).toBe(2);
  });

  test('completes by itself when the borrow is returned, after one more SIGKILL', async () => {
    expect((await revoke('--pending')).json).toMatchObject({ pending: 1 });
    await site.kill();
    await site.serve();
    await site.berthOk(anna, ['borrow', 'return']);
    expect((await done('license', 'list', anna.email)).items).toEqual([]);
    expect(await site.pool()).toMatchObject({ allocated: 0, borrowed: 0, free: 5 });
  });
});

describe('automatic extension', () => {
  const listed = async (): Promise<Json> =>
    (await site.berthOk(anna, ['borrow', 'list', '--json'])).json.items[0];
  const wait = 'setTimeout(() => {}, 6_000)';
  const runOn = (): Promise<Ran> =>
    site.berth(anna, ['run', '--product', 'render', '--', process.execPath, '-e', wait]);

  test('is asked for with the borrow, and kept on disk with it', async () => {
    await done('license', 'assign', anna.email, 'render');
    const words = ['borrow', 'take', '--product', 'render', '--for', '60s', '--extend-before', '59s'];
    const { json } = await site.berthOk(anna, [...words, '--json']);
    expect(json.borrow.autoExtend).toEqual({ seconds: 60, beforeSeconds: 59 });
    expect((await site.berth(anna, [...words, '--extend-before', '60s'])).code).toBe(2);
  });

  test('a later process extends it while it runs, and says so', async () => {
    const before = await listed();
    const { code, stderr } = await runOn();
    expect([code, stderr]).toEqual([0, expect.stringContaining('The borrow was extended')]);
    const after = await listed();
    expect(after.expiresAtMs).toBeGreaterThan(before.expiresAtMs);
    expect(after.autoExtend).toEqual({ seconds: 60, beforeSeconds: 59 });
    expect(await site.pool()).toMatchObject({ borrowed: 1 });
  });

  test('a pending revoke stops it, and is told', async () => {
    expect((await revoke('--pending')).json).toMatchObject({ pending: 1 });
    const before = await listed();
    const { code, stderr } = await runOn();
    expect([code, stderr]).toEqual([0, expect.stringContaining('REVOKE_PENDING')]);
    expect((await listed()).expiresAtMs).toBe(before.expiresAtMs);
    await site.berthOk(anna, ['borrow', 'return']);
    expect((await done('license', 'list', anna.email)).items).toEqual([]);
  });
});

describe('caps', () => {
  const set = (...words: string[]): Promise<Json> => done('pool', 'set', 'render', ...words);

  test('of the product and of the user are explained, lowered they take nothing, off they are gone', async () => {
    expect(await set('--borrow-cap', '1', '--borrow-cap-per-user', '1')).toMatchObject({
      settings: { borrowSeatsMax: 1, borrowSeatsPerUserMax: 1 },
    });
    expect((await take(anna, '1h')).code).toBe(0);
    expect((await take(anna, '2h')).code).toBe(0);
    const refused = await take(bo, '1h');
    expect([refused.code, refused.json.error]).toEqual([
      7,
      expect.objectContaining({ code: 'BORROW_LIMIT', rule: 'BORROW_CAP_PRODUCT' }),
    ]);
    await set('--borrow-cap', 'off', '--borrow-cap-per-user', '0');
    expect((await take(bo, '1h')).json.error.rule).toBe('BORROW_CAP_USER');
    expect((await take(anna, '3h')).json.error.rule).toBe('BORROW_CAP_USER');
    expect(await site.pool()).toMatchObject({ borrowed: 1 });
    await set('--borrow-cap-per-user', 'off');
    await site.berthOk(anna, ['borrow', 'return']);
  });
});

describe('a pending removal', () => {
  test('of a user: nothing new for them, visible, and gone with the borrow', async () => {
    expect((await take(bo, '1h')).code).toBe(0);
    const removed = await owner('user', 'remove', bo.email, '--pending', '--yes');
    expect(removed.json).toMatchObject({
      email: bo.email,
      pending: { by: site.owner.email },
    });
    const { items } = await done('user', 'list', '--search', 'bo@');
    expect(items).toMatchObject([{ email: bo.email, removing: { untilMs: expect.any(Number) } }]);
    expect((await site.berthOk(bo, ['me'])).stdout).toMatch(
      new RegExp(`^removal +pending until .*, asked by ${site.owner.email}$`, 'm'),
    );
    expect(await done('user', 'remove', bo.email, anna.email, '--cancel', '--dry-run')).toMatchObject({
      dryRun: true,
      items: [
        { email: bo.email, cancelled: true },
        { email: anna.email, cancelled: false },
      ],
    });
    await site.kill();
    await site.serve();
    const { json } = await take(bo, '2h');
    expect(json.error).toMatchObject({ code: 'REVOKE_PENDING', untilMs: items[0].removing.untilMs });
    const returned = await site.berthOk(bo, ['borrow', 'return']);
    expect(returned.stderr).toContain('Returned ');
    expect((await site.berthOk(bo, ['borrow', 'list', '--json'])).json.items).toEqual([]);
    expect((await done('user', 'list', '--search', 'bo@')).items).toEqual([]);
  });

  test('of an entitlement: cancelled once, then carried out with the end of the borrow', async () => {
    expect((await take(anna, '1h')).code).toBe(0);
    const remove = (...more: string[]): Promise<Json> =>
      done('entitlement', 'remove', 'ent-render', '--yes', ...more);
    expect(await remove('--pending')).toMatchObject({ pending: { by: site.owner.email } });
    expect(await done('entitlement', 'show', 'ent-render')).toMatchObject({
      entitlement: { state: 'active', removing: { by: site.owner.email } },
    });
    const run = await site.berth(site.owner, ['run', '--product', 'render', '--', 'echo', 'ran']);
    expect([run.code, run.stderr]).toEqual([7, expect.stringContaining('REVOKE_PENDING')]);
    expect(await remove('--cancel', '--dry-run')).toMatchObject({ dryRun: true, cancelled: true });
    expect(await remove('--cancel')).toMatchObject({ cancelled: true });
    expect(await remove('--cancel', '--dry-run')).toMatchObject({ cancelled: false });
    await site.berthOk(site.owner, ['run', '--product', 'render', '--', 'echo', 'ran']);
    await remove('--pending');
    await site.berthOk(anna, ['borrow', 'return']);
    expect((await done('entitlement', 'show', 'ent-render')).entitlement).toMatchObject({ state: 'removed' });
  });
});

test('the auditor has nothing to say', async () => {
  await site.stop();
  expect((await site.check()).json).toMatchObject({ ok: true });
  expect(site.audit().findings).toEqual([]);
});
