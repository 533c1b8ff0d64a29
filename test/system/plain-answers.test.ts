import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort } from './network.js';
import { type Person, Site } from './site.js';

// Answers that used to say nothing, or the wrong thing (left over from issue 2).

let site: Site;
let anna: Person;

beforeAll(async () => {
  site = await Site.open();
  await site.grant({ product: 'render', seats: 1, borrow: { max: '1d', seats: 1 } });
  [anna] = (await site.hire('anna@studio.example')) as [Person];
}, 120_000);

afterAll(() => site?.close());

test('an invitation that was replaced says so', async () => {
  const first = await site.invite('late@studio.example');
  await site.invite('late@studio.example');
  const ran = await site.berth(site.person('late@studio.example'), ['join', first, '--json']);
  expect([ran.code, ran.json.error.code]).toEqual([4, 'INVITATION_INVALID']);
  expect(ran.json.error.message).toContain('newer one');
  const forged = first.replace(/.{4}$/, 'AAAA');
  const stranger = await site.berth(site.person('late@studio.example'), ['join', forged, '--json']);
  expect(stranger.json.error.message).not.toContain('newer one');
});

test('join names the address that it tried', async () => {
  const port = await freePort();
  const link = (await site.invite('dead@studio.example')).replace(`:${site.port}`, `:${port}`);
  const ran = await site.berth(site.person('dead@studio.example'), ['join', link, '--json']);
  expect([ran.code, ran.json.error.code]).toEqual([5, 'UNREACHABLE']);
  expect(ran.json.error.servers).toMatchObject([{ address: `127.0.0.1:${port}` }]);
  expect(ran.stderr).toContain(`127.0.0.1:${port}`);
});

test('returning what is not borrowed is exit 6 and a sentence; both ends of a borrow have their own words', async () => {
  const ran = await site.berth(anna, ['borrow', 'return', '--product', 'nope', '--json']);
  expect([ran.code, ran.json.error.code]).toEqual([6, 'BORROW_UNKNOWN']);
  expect(ran.json.error.message).toContain('nope');
  const taken = await site.berthOk(anna, ['borrow', 'take', '--product', 'render', '--for', '1h']);
  expect(taken.stderr).toMatch(/valid until: .* the seat is free again: /);
  const list = await site.berthOk(anna, ['borrow', 'list']);
  expect(list.stdout).toMatch(/VALID UNTIL +SEAT FREE AGAIN/);
  await site.berthOk(anna, ['borrow', 'return', '--product', 'render']);
});

test('a damaged context does not hide the others', async () => {
  const folder = join(anna.home, 'config', 'contexts');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'broken.json'), '{"name":');
  const ran = await site.berth(anna, ['context', 'list', '--json']);
  expect(ran.code).toBe(0);
  expect(ran.json.items).toMatchObject([{ email: anna.email, current: true }]);
  expect(ran.json.damaged).toMatchObject([{ name: 'broken', code: 'FILE_UNREADABLE' }]);
  expect(ran.stderr).toContain(join(folder, 'broken.json'));
});

test('vendor issue writes over an entitlement and nothing else, and takes no request put together from two servers', async () => {
  const out = await site.issue({ product: 'other', seats: 1 });
  const before = await readFile(out, 'utf8');
  const terms = '--product other --seats 2 --from 2026-01-01 --until 2030-12-31'.split(' ');
  const secret = join(site.vendor, 'vendor.key');
  const words = ['vendor', 'issue', '--key', secret, '--server', site.serverKey, ...terms, '--json', '--out'];
  expect((await site.berth(site.owner, [...words, out])).code).toBe(0);
  expect(await readFile(out, 'utf8')).not.toBe(before);
  const kept = await readFile(secret, 'utf8');
  const refused = await site.berth(site.owner, [...words, secret]);
  expect([refused.code, refused.json.error.code]).toEqual([1, 'FILE_EXISTS']);
  expect(await readFile(secret, 'utf8')).toBe(kept);
  const other = join(site.folder, 'notes.txt');
  await writeFile(other, 'notes');
  expect((await site.berth(site.owner, [...words, other])).code).toBe(1);
  expect((await site.berth(site.owner, [...words, other, '--force'])).code).toBe(0);
  const { stdout } = await site.berthOk(site.owner, ['entitlement', 'request', '--json']);
  const request = JSON.parse(stdout);
  const issueFor = (server: object) => {
    const mixed = ['vendor', 'issue', '--key', secret, '--server', JSON.stringify(server), ...terms];
    return site.berth(site.owner, [...mixed, '--json']);
  };
  expect((await issueFor(request)).code).toBe(0);
  const mixed = await issueFor({ ...request, serverId: 'srv-0000000000000000' });
  expect([mixed.code, mixed.json.error.code]).toEqual([2, 'KEY_INVALID']);
});

test('berthd check of a folder that is served says what to do', async () => {
  const ran = await site.check();
  expect(ran.code).not.toBe(0);
  expect(`${ran.stdout}${ran.stderr}`).toContain('/readyz');
  expect(`${ran.stdout}${ran.stderr}`).toContain('FOLDER_IN_USE');
});
