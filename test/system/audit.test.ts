import { copyFile, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { newIdempotencyKey, openAdmin } from '@berth/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bins } from './paths.js';
import { type Json, type Person, type Ran, Site } from './site.js';
import { until } from './waiting.js';

// PRODUCT.md, "A tamper-evident audit journal that an outsider can check", through `berth` against `berthd` (issue 5, part 8). In order.

let site: Site;
let anna: Person;
let viewer: Person;
let invited = '';
let file = '';

beforeAll(async () => {
  site = await Site.open();
  await site.grant({ seats: 2, borrow: { max: '1d', seats: 1 }, id: 'ent-render' });
  viewer = site.person('vera@studio.example');
  const join = async () => site.joinWith(viewer, await site.invite(viewer.email, '--role', 'viewer'));
  [[anna], , invited] = (await Promise.all([
    site.hire('anna@studio.example'),
    join(),
    site.invite('not-yet@studio.example'),
  ])) as [[Person], Ran, string];
  // In this process, since a command costs a second.
  const admin = await openAdmin({ home: site.owner.home });
  try {
    const key = newIdempotencyKey;
    const two = { email: anna.email, product: 'render' };
    await admin.call('allocation.assign', { key: key(), ...two, quantity: 1 });
    await admin.call('allocation.assign', { key: key(), ...two, quantity: 1 });
    await admin.call('user.set', { key: key(), email: anna.email, name: 'Anna Ek' });
    await admin.call('allocation.revoke', { key: key(), ...two });
  } finally {
    await admin.close();
  }
}, 240_000);

afterAll(() => site?.close());

const owner = (...words: string[]): Promise<Ran> => site.berth(site.owner, [...words, '--json']);
const factsOf = ({ changes }: Json, kind: string): Json => {
  const change = changes.find((one: Json) => one.kind === kind);
  return Object.fromEntries(
    change.facts.map(({ name, value, was }: Json) => [name, was === undefined ? value : [value, was]]),
  );
};

describe('audit list', () => {
  test('who, from where, with which device, what changed and what it was', async () => {
    const { json } = await owner('audit', 'list', '--user', anna.email, '--kind', 'allocation');
    const [revoked, , assigned] = json.items;
    const by = { by: site.owner.email, from: '127.0.0.1', did: 'revoke' };
    expect(revoked).toMatchObject(by);
    expect(revoked.deviceName).toMatch(/\S/);
    expect(Math.abs(revoked.atMs - Date.now())).toBeLessThan(120_000);
    expect(factsOf(revoked, 'allocation.set')).toMatchObject({
      user: anna.email,
      product: 'render',
      quantity: ['1', '2'],
    });
    expect(factsOf(assigned, 'allocation.set')).toMatchObject({ quantity: ['1', '0'] });
    for (const [typed, meant] of [
      ['lese', 'lease'],
      ['allocation.sett', 'allocation.set'],
    ] as const) {
      const { code, json: refused } = await owner('audit', 'list', '--kind', typed);
      expect([code, refused.error.next]).toEqual([2, expect.stringContaining(`Did you mean ${meant}? `)]);
    }
    const { json: named } = await owner('audit', 'list', '--kind', 'user.put', '--user', anna.email);
    expect(factsOf(named.items[0], 'user.put')).toMatchObject({ name: ['Anna Ek', ''] });
  });

  test('newest first, in pages, by product, person and time; for a viewer too', async () => {
    const { json } = await owner('audit', 'list', '--limit', '1000');
    const places = json.items.map(({ seq, place }: Json) => seq * 1000 + place);
    expect(places).toEqual([...places].sort((a, b) => b - a));
    const first = (await owner('audit', 'list', '--limit', '3')).json;
    const [rest, byAnna, before, since, viewed] = await Promise.all([
      owner('audit', 'list', '--limit', '1000', '--cursor', first.next),
      owner('audit', 'list', '--by', anna.email),
      owner('audit', 'list', '--until', '1h'),
      owner('audit', 'list', '--since', '1h', '--product', 'render'),
      site.berth(viewer, ['audit', 'list', '--json']),
    ]);
    expect([...first.items, ...rest.json.items].map(({ seq }: Json) => seq)).toEqual(
      json.items.map(({ seq }: Json) => seq),
    );
    expect(byAnna.json.items.map(({ did }: Json) => did)).toEqual(['enrol']);
    expect(before.json.items).toEqual([]);
    expect(since.json.items.length).toBeGreaterThan(3);
    expect(viewed.code).toBe(0);
  });
});

describe('audit export and verify', () => {
  const verify = (path: string, ...words: string[]): Promise<Ran> =>
    site.berth(site.person('outsider@elsewhere.example'), [
      ...['audit', 'verify', path, '--server-key', site.serverKey, '--json'],
      ...words,
    ]);
  const changed = async (name: string, change: (lines: string[]) => string[]): Promise<Ran> => {
    const lines = (await readFile(file, 'utf8')).split(/(?<=\n)/);
    return await verify(await site.write(name, change(lines).join('')));
  };

  test('whole: proved offline, with the public key of the server alone', async () => {
    file = join(site.folder, 'audit.jsonl');
    const exported = (await owner('audit', 'export', '--out', file)).json;
    const { code, json } = await verify(file);
    expect([code, json.ok, json.until, json.head, json.pinned]).toEqual([
      0,
      true,
      exported.until,
      exported.head,
      true,
    ]);
    expect(json.checkpoints).toBeGreaterThan(0);
    expect((await owner('audit', 'export', '--out', file)).json.error.code).toBe('FILE_EXISTS');
  });

  test('one changed byte: refused, and the record named', async () => {
    // Which record names somebody is the server's matter; its line is its number, below the one of the file.
    let seq = 0;
    const { code, json } = await changed('byte', (lines) => {
      seq = lines.findIndex((line, at) => at > 3 && line.includes('studio.example'));
      return lines.map((line, at) => (at === seq ? line.replace('studio.example', 'studio.examplf') : line));
    });
    expect([code, json.error.code, json.reason, json.seq]).toEqual([1, 'AUDIT_BROKEN', 'CHANGED', seq]);
  });

  test('one removed record: refused, and the record named', async () => {
    const { code, json } = await changed('removed', (lines) => lines.filter((_, at) => at !== 6));
    expect([code, json.reason, json.seq]).toEqual([1, 'MISSING', 6]);
  });

  test('two swapped records: refused, and the first of them named', async () => {
    const { code, json } = await changed('swapped', (lines) => [
      ...lines.slice(0, 4),
      ...[lines[5]!, lines[4]!],
      ...lines.slice(6),
    ]);
    expect([code, json.reason, json.seq]).toEqual([1, 'SWAPPED', 4]);
  });

  test('a tail that was cut off shows against its own end, a later checkpoint and the witness of a client', async () => {
    const cut = await changed('cut', (lines) => lines.slice(0, 8));
    expect([cut.code, cut.json.reason, cut.json.seq]).toEqual([1, 'UNSIGNED', 8]);
    const plugin = site.plugin(anna);
    await plugin.hear({ event: 'ready' });
    for (const order of ['checkout', 'release', 'close']) {
      plugin.tell(order);
      await plugin.hear({ order });
    }
    await plugin.exited;
    const out = join(site.folder, 'later');
    expect((await owner('audit', 'checkpoint', '--out', out)).json.seq).toBeGreaterThan(10);
    const later = await verify(file, '--checkpoint', out);
    expect([later.code, later.json.reason]).toEqual([1, 'TRUNCATED']);
    const names = await readdir(join(anna.home, 'state'));
    const context = names.find((name) => !name.startsWith('.'));
    const witness = join(anna.home, 'state', context!, 'witness.json');
    expect((await verify(file, '--witness', witness)).json).toMatchObject({ reason: 'TRUNCATED' });
    const again = join(site.folder, 'again.jsonl');
    await owner('audit', 'export', '--out', again);
    expect((await verify(again, '--checkpoint', out, '--witness', witness)).json).toMatchObject({
      ...{ ok: true, compared: 2 },
    });
  });

  test('neither the journal nor an export has a secret in it', async () => {
    const seed = (await readFile(join(site.data, 'keys', 'server.key'), 'utf8')).trim();
    const secrets = [seed, seed.split(':').at(-1)!, tokenOf(site.ownerLink), tokenOf(invited)];
    const text = await readFile(file, 'utf8');
    for (const secret of secrets) {
      expect(secret.length).toBeGreaterThan(20);
      expect(text.includes(secret)).toBe(false);
    }
    // The id of an invitation is there, and what makes a token of it is not.
    expect(text).toContain(tokenOf(invited).split('.')[0]);
    expect(text).not.toContain(tokenOf(invited).split('.')[1]);
  });
});

describe('audit prune', () => {
  const old = (): string => join(site.folder, 'old.jsonl');
  const prune = (...words: string[]): Promise<Ran> =>
    owner('audit', 'prune', '--older-than', '0', '--out', old(), ...words);
  const journal = async (): Promise<string[]> => (await readdir(join(site.data, 'journal'))).sort();
  const verify = (path: string): Promise<Ran> => owner('audit', 'verify', path);
  const base = async (): Promise<string> =>
    join(site.data, 'journal', (await journal()).find((name) => name.endsWith('.base'))!);
  const warnings = async (): Promise<string[]> => JSON.parse((await site.http('/readyz')).body).warnings;
  /** One bit in the middle of a file. */
  const flip = async (path: string): Promise<void> => {
    const bytes = await readFile(path);
    bytes[bytes.length >> 1]! ^= 1;
    await writeFile(path, bytes);
  };

  test('old records are exported, proved and removed; a kill and a lost state cost nothing', async () => {
    await site.kill();
    await site.serve(['--journal-segment-mib', '1']);
    await twoFullSegments();
    const before = await journal();
    // What is of today goes only when it is said.
    const [refused, dry] = await Promise.all([prune(), prune('--dry-run')]);
    expect([refused.code, refused.json.error]).toEqual([8, dry.json.refused]);
    expect([dry.code, dry.json.refused]).toMatchObject([8, { code: 'PRUNE_REFUSED', rule: 'RECENT' }]);
    // Nothing was exported for it.
    await expect(readFile(old())).rejects.toMatchObject({ code: 'ENOENT' });
    expect(await journal()).toEqual(before);
    const { code, json, stderr } = await prune('--recent');
    expect([code, json.from, stderr]).toEqual([0, 1, expect.stringContaining('proved')]);
    expect(json.bytes).toBeGreaterThan(2 * 1024 * 1024);
    const first = String(json.until + 1).padStart(20, '0');
    expect(await journal()).toEqual([`${first}.log`, expect.stringMatching(/\.base$/), 'head']);
    const users = (await owner('user', 'list', '--limit', '100')).json;
    await site.kill();
    await rm(join(site.data, 'state'), { recursive: true });
    await site.serve();
    expect((await owner('user', 'list', '--limit', '100')).json).toEqual(users);
    expect(JSON.parse((await site.http('/readyz')).body).warnings).toEqual([]);
    // What is left begins behind the file, and is signed to do so.
    const rest = join(site.folder, 'rest.jsonl');
    const exported = await owner('audit', 'export', '--out', rest);
    expect([exported.json.from, exported.json.pruned.until]).toEqual([json.until + 1, json.until]);
    const [past, present] = await Promise.all([verify(old()), verify(rest)]);
    expect(past.json).toMatchObject({ ok: true, from: 1, until: json.until, head: json.head });
    expect(present.json).toMatchObject({ ok: true, from: json.until + 1, prev: json.head, follows: true });
    const listed = await site.berth(site.owner, ['audit', 'list', '--kind', 'journal.pruned']);
    expect([listed.stdout, listed.stderr]).toEqual([
      expect.stringContaining(`until=${json.until}`),
      expect.stringContaining(`up to ${json.until} are not in the journal any more`),
    ]);
  });

  test('a backup of what is left is a whole server', async () => {
    const passphrase = await site.write('passphrase', 'correct horse battery staple\n');
    const out = join(site.folder, 'pruned.backup');
    const made = await owner('backup', 'create', '--out', out, '--passphrase-file', passphrase);
    expect([made.code, made.stderr]).toEqual([0, expect.stringContaining('whole')]);
    const data = join(site.folder, 'restored');
    await site.berthd(['restore', out, '--data', data, '--passphrase-file', passphrase, '--json']);
    const checked = JSON.parse((await site.berthd(['check', '--data', data, '--json'])).stdout);
    expect(checked).toMatchObject({ ok: true });
  });

  test('a base that is damaged while the server runs, or before its start, is made anew, and that is told', async () => {
    const passphrase = join(site.folder, 'passphrase');
    const create = (name: string): Promise<Ran> =>
      owner('backup', 'create', '--out', join(site.folder, name), '--passphrase-file', passphrase);
    const users = (await owner('user', 'list', '--limit', '100')).json;
    const first = await base();
    // Where another one would fill the disk: said at once, with its name, and nothing is handed out.
    await site.kill();
    await site.serve(['--disk-low-mib', String(1e9)]);
    await rename(first, `${first}.away`);
    const admin = await openAdmin({ home: site.owner.home });
    try {
      const begun = async () => (await admin.call('audit.list', { kind: 'backup.begun' })).items.length;
      const before = await begun();
      await expect(admin.call('backup.begin', { key: newIdempotencyKey() })).rejects.toMatchObject({
        code: 'JOURNAL_DAMAGED',
        message: expect.stringMatching(new RegExp(`${first}.* could not be made anew: .*(disk|free|bytes)`)),
      });
      expect(await begun()).toBe(before);
    } finally {
      await admin.close();
    }
    await site.kill();
    await rename(`${first}.away`, first);
    await site.serve();
    expect(await warnings()).toEqual([]);
    // Under the running server: a backup, of which it is a part, finds it.
    await rename(first, `${first}.away`);
    const made = await create('anew.backup');
    expect([made.code, made.stderr]).toEqual([0, expect.stringContaining('whole')]);
    expect(await base()).not.toBe(first);
    expect(await warnings()).toEqual(['BASE_RENEWED']);
    // Before a start: it is found behind it.
    await site.kill();
    const second = await base();
    await flip(second);
    await site.serve();
    await until('another base', async () => (await warnings()).includes('BASE_RENEWED'));
    expect(await base()).not.toBe(second);
    const doctor = (await owner('doctor')).json.checks.find(({ name }: Json) =>
      name.endsWith('BASE_RENEWED'),
    );
    expect(doctor).toMatchObject({ state: 'warn', fix: expect.stringContaining('backup') });
    const listed = await site.berth(site.owner, ['audit', 'list', '--kind', 'journal.pruned']);
    expect(listed.stdout.match(/renewed=/g)).toHaveLength(2);
    const rest = join(site.folder, 'renewed.jsonl');
    expect((await owner('audit', 'export', '--out', rest)).code).toBe(0);
    expect((await verify(rest)).json).toMatchObject({ ok: true });
    // It is one: the state is rebuilt from it.
    await site.kill();
    await rm(join(site.data, 'state'), { recursive: true });
    await site.serve();
    expect((await owner('user', 'list', '--limit', '100')).json).toEqual(users);
    expect(await warnings()).toEqual([]);
  });

  test('a damaged base of a server without its state: refused by name, and put back from a backup', async () => {
    const passphrase = join(site.folder, 'passphrase');
    const out = join(site.folder, 'last.backup');
    expect((await owner('backup', 'create', '--out', out, '--passphrase-file', passphrase)).code).toBe(0);
    const users = (await owner('user', 'list', '--limit', '100')).json;
    await site.kill();
    const path = await base();
    await flip(path);
    await rm(join(site.data, 'state'), { recursive: true });
    const argv = [process.execPath, bins.berthd, 'serve', '--data', site.data];
    const refused = await site.start({ argv }).exited;
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining(`${path}, record`)]);
    // As docs/site-it.md says.
    const aside = join(site.folder, 'aside');
    const restored = await site.berthd(['restore', out, '--data', aside, '--passphrase-file', passphrase]);
    expect(restored.code).toBe(0);
    await copyFile(join(aside, 'journal', basename(path)), path);
    expect(JSON.parse((await site.berthd(['check', '--data', site.data, '--json'])).stdout)).toMatchObject({
      ok: true,
    });
    await site.serve();
    expect((await owner('user', 'list', '--limit', '100')).json).toEqual(users);
    expect(await warnings()).toEqual([]);
  });
});

/** Two tables of people who cannot be invited, each a record that fills a file of the journal. */
async function twoFullSegments(): Promise<void> {
  const admin = await openAdmin({ home: site.owner.home });
  const cells = ['x'.repeat(390), 'y'.repeat(390)];
  try {
    for (const kind of ['invite', 'remove'] as const) {
      const upload = newIdempotencyKey();
      for (let from = 0; from < 1400; from += 14) {
        const rows = Array.from({ length: 14 }, (_, at) => ({ line: from + at + 1, cells }));
        await admin.call('bulk.put', { upload, header: ['email', 'name'], from, rows });
      }
      await admin.call('bulk.apply', { key: newIdempotencyKey(), upload, kind });
    }
    await until('both to be over', async () =>
      (await admin.call('bulk.list', {})).items.every(({ endedAtMs }) => endedAtMs !== undefined),
    );
  } finally {
    await admin.close();
  }
}

function tokenOf(link: string): string {
  return new URL(link.replace('berth:', 'https:')).searchParams.get('token')!;
}
