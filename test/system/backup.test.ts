import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { claimsOf, HttpsPlugin } from './https-plugin.js';
import { bins } from './paths.js';
import { pythonPlugin, whyNoPython } from './python.js';
import { type Person, type Ran, Site } from './site.js';
import { until } from './waiting.js';

// PRODUCT.md, row "backup" (issue 5, part 9), I9: through `berth` and `berthd`. In order: each test goes on where the one before ended.

let site: Site;
let anna: Person;
let bo: Person;
let passphrase: string;
let backup: string;

beforeAll(async () => {
  site = await Site.open();
  await site.grant({ seats: 3, share: 'process', borrow: { max: '1d', seats: 1 } });
  [anna, bo] = (await site.hire('anna@studio.example', 'bo@studio.example')) as [Person, Person];
  passphrase = await site.write('passphrase', 'correct horse battery staple\n');
  backup = join(site.folder, 'monday.backup');
}, 120_000);

afterAll(() => site?.close());

const owner = (...words: string[]): Promise<Ran> => site.berth(site.owner, [...words, '--json']);
const sealed = (...words: string[]): Promise<Ran> =>
  owner('backup', ...words, '--passphrase-file', passphrase);
const restoreArgs = (data: string, file = backup): string[] => {
  const words = ['restore', file, '--data', data, '--passphrase-file', passphrase, '--json'];
  return [process.execPath, bins.berthd, ...words];
};
const takes = (who: Person): Promise<Ran> => site.berth(who, ['run', '--product', 'render', '--', 'true']);
const warnings = async (): Promise<string[]> => JSON.parse((await site.http('/readyz')).body).warnings;

test('backup: made while a plugin works, whole, for the owner alone, and told by doctor', async () => {
  const plugin = site.plugin(bo);
  await plugin.hear({ event: 'ready' });
  plugin.tell('checkout');
  await plugin.hear({ order: 'checkout', event: 'done' });
  const made = await sealed('create', '--out', backup);
  expect(made.stderr).toContain('whole');
  expect(made.code).toBe(0);
  expect((await stat(backup)).mode & 0o777).toBe(0o600);
  expect((await sealed('verify', backup)).json).toMatchObject({ seq: made.json.seq, epoch: made.json.epoch });
  expect((await owner('backup', 'show')).json.last).toMatchObject({ seq: made.json.seq });
  expect((await sealed('create', '--out', backup)).json.error.code).toBe('FILE_EXISTS');
  plugin.tell('close');
  await plugin.exited;
});

test('backup: a changed byte, a part of it, another passphrase and a user are refused', async () => {
  const bytes = await readFile(backup);
  const changed = Buffer.from(bytes);
  changed[bytes.length >> 1]! ^= 1;
  const half = bytes.subarray(0, bytes.length >> 1);
  const longer = Buffer.concat([bytes, Buffer.from('x')]);
  for (const [name, content] of Object.entries({ changed, half, longer })) {
    const path = join(site.folder, name);
    await writeFile(path, content);
    const { code, json } = await sealed('verify', path);
    expect([code, json.error.code], name).toEqual([1, 'BACKUP_INVALID']);
    // What was read before the fault showed has the keys of the server: none of it stays.
    const data = join(site.folder, `of-${name}`);
    const refused = await site.start({ argv: restoreArgs(data, path) }).exited;
    expect([refused.code, existsSync(join(data, 'restoring'))], name).toEqual([1, false]);
  }
  const other = await site.write('other', 'wrong horse battery staple\n');
  const wrong = await owner('backup', 'verify', backup, '--passphrase-file', other);
  expect([wrong.code, wrong.json.error.code]).toEqual([4, 'PASSPHRASE_WRONG']);
  const argv = restoreArgs(join(site.folder, 'of-wrong'));
  argv[argv.indexOf(passphrase)] = other;
  const opened = await site.start({ argv }).exited;
  expect([opened.code, opened.stderr]).toEqual([4, expect.stringContaining('PASSPHRASE_WRONG')]);
  const out = join(site.folder, 'stolen.backup');
  const words = ['backup', 'create', '--out', out, '--passphrase-file', passphrase, '--json'];
  expect((await site.berth(anna, words)).code).not.toBe(0);
  expect(existsSync(out)).toBe(false);
});

test('backup: `create` that is killed leaves no backup, and can be run again', async () => {
  const out = join(site.folder, 'tuesday.backup');
  const argv = site.berthArgv(['backup', 'create', '--out', out, '--passphrase-file', passphrase]);
  const killed = site.start({ argv, env: site.environmentOf(site.owner, 'berth') });
  await until('the file to be begun', () => existsSync(`${out}.new`), undefined, 1);
  await killed.kill();
  expect(existsSync(out)).toBe(false);
  expect((await sealed('create', '--out', out)).code).toBe(0);
});

test('restore: killed in the middle it is no server; run again it is one, of a new epoch', async () => {
  // After the backup: Anna borrows. The restored server cannot know.
  expect((await site.berth(anna, ['borrow', 'take', '--product', 'render', '--for', '1d'])).code).toBe(0);
  const contexts = await readdir(join(anna.home, 'state'));
  const context = contexts.find((name) => !name.startsWith('.'))!;
  await cp(join(anna.home, 'state', context, 'witness.json'), join(site.folder, 'seen-before'));
  await site.stop();
  await rename(site.data, join(site.folder, 'old'));
  const killed = site.start({ argv: restoreArgs(site.data) });
  await until('the restore to be begun', () => existsSync(join(site.data, 'restoring')), undefined, 1);
  await killed.kill();
  const serving = await site.start({ argv: [process.execPath, bins.berthd, 'serve', '--data', site.data] })
    .exited;
  expect(serving.code).not.toBe(0);
  const restored = await site.start({ argv: restoreArgs(site.data) }).exited;
  expect([restored.code, restored.stderr]).toEqual([0, '']);
  const { epoch } = (await sealed('verify', backup)).json;
  expect(JSON.parse(restored.stdout).epoch).not.toBe(epoch);
  expect((await site.check()).json).toMatchObject({ ok: true });
  const again = await site.start({ argv: restoreArgs(site.data) }).exited;
  expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('FOLDER_NOT_EMPTY')]);
});

test('restore: a borrow of after the backup is not given out twice (I9)', async () => {
  await site.serve();
  expect((await owner('restore', 'show')).json.restore).not.toBeNull();
  expect((await takes(bo)).code).not.toBe(0);
  // Her computer shows what it has as soon as a program on it asks.
  expect((await takes(anna)).code).toBe(0);
  await until('her borrow to be known again', async () => (await site.pool()).borrowed === 1);
  // What online leases of before could still hold is free after W; one seat is hers.
  await until('the other seat', async () => (await takes(bo)).code === 0, 60_000, 500);
  expect(await site.pool()).toMatchObject({ owned: 3, borrowed: 1 });
  const three = ['run', '--product', 'render', '--seats', '3', '--', 'true'];
  expect((await site.berth(bo, three)).code).not.toBe(0);
});

test('restore: an admin may answer for what is kept back; who and why is in the audit log', async () => {
  expect((await owner('restore', 'accept', '--reason', 'all are back', '--yes')).code).toBe(0);
  expect((await owner('restore', 'show')).json.restore).toMatchObject({
    ...{ cause: 'restored', holding: false, kept: [] },
    accepted: { by: site.owner.email, reason: 'all are back' },
  });
  const { json } = await owner('audit', 'list');
  expect(JSON.stringify(json.items)).toContain('all are back');
  expect(await site.pool()).toMatchObject({ borrowed: 1 });
});

test('restore: what a client saw before is no charge against the server, and doctor knows whence it came', async () => {
  const file = join(site.folder, 'audit.jsonl');
  expect((await owner('audit', 'export', '--out', file)).code).toBe(0);
  const verified = await owner('audit', 'verify', file, '--witness', join(site.folder, 'seen-before'));
  expect([verified.code, verified.json.givenUp]).toMatchObject([0, [{ what: 'the witness' }]]);
  expect(verified.stderr).toContain('The server was restored ');
  const { checks } = (await owner('doctor')).json;
  expect(checks.find(({ name }: { name: string }) => name === 'backup').detail).toContain('restored from');
});

/** The timer of the server: a backup that it makes by itself is whole, and its age is in the metrics and told by doctor. */
async function makesItsOwn(): Promise<void> {
  const folder = join(site.folder, 'backups');
  await mkdir(folder);
  // Leases of then outlive it that the folder is put back.
  site.leaseSeconds = 60;
  await site.serve([
    ...['--backup-hours', '1', '--backup-folder', folder, '--backup-passphrase-file', passphrase],
  ]);
  await until('the backup', async () => (await owner('backup', 'show')).json.last?.by === null);
  expect((await owner('backup', 'show')).json).toMatchObject({ everyMs: 3_600_000, failed: null });
  const files = await readdir(folder);
  expect(files).toEqual([expect.stringMatching(/\.backup$/)]);
  expect((await sealed('verify', join(folder, files[0]!))).code).toBe(0);
  const age = /^berth_backup_age_seconds (\S+)$/m.exec((await site.http('/metrics')).body)?.[1];
  expect(Number(age)).toBeGreaterThanOrEqual(0);
  expect(Number(age)).toBeLessThan(600);
  const { checks } = (await owner('doctor')).json;
  expect(checks.find(({ name }: { name: string }) => name === 'backup')).toMatchObject({ state: 'ok' });
}

test('a folder that was rolled back is noticed by what clients have seen', async () => {
  await site.stop();
  const earlier = join(site.folder, 'earlier');
  await cp(site.data, earlier, { recursive: true });
  await makesItsOwn();
  expect((await takes(bo)).code).toBe(0);
  const others = await holdingElsewhere();
  await site.stop();
  await rename(site.data, join(site.folder, 'later'));
  await rename(earlier, site.data);
  await site.serve();
  expect(await warnings()).not.toContain('ROLLED_BACK');
  await takes(bo);
  await until('the warning', async () => (await warnings()).includes('ROLLED_BACK'));
  await others.haveTheirSeatsAgain();
});

/**
 * Clients that are not of the SDK have seats that an earlier state does not know. `berth.py` shows them by itself when it connects; over
 * plain HTTP a client is told that its lease is unknown, and shows its token then (PROTOCOL 13.5).
 */
async function holdingElsewhere() {
  const http = await HttpsPlugin.of(site, bo);
  const { body } = await http.checkout('render');
  const token: string = body.leases[0];
  const lease = claimsOf(token).jti;
  const facts = JSON.stringify({ product: 'render', vendorKey: site.vendorKey });
  const argv = ['python3', '-B', pythonPlugin, facts];
  const python =
    whyNoPython() === null ? site.start({ argv, env: site.environmentOf(anna, 'python') }) : null;
  await python?.hear({ event: 'ready' });
  python?.tell('checkout');
  await python?.hear({ order: 'checkout', event: 'done' });
  return {
    haveTheirSeatsAgain: async () => {
      expect((await http.renew([lease])).body.leases).toEqual([{ lease, code: 'LEASE_UNKNOWN' }]);
      const { leases } = (await http.renew([lease], [token])).body;
      expect(leases).toEqual([{ lease, token: expect.any(String) }]);
      expect((await http.release()).body).toEqual({ released: [lease] });
      if (python === null) return;
      await until('the seat of berth.py', async () => (await site.pool()).inUse === 1);
      python.tell('state');
      expect(await python.hear({ order: 'state' })).toMatchObject({ state: 'held' });
      python.endInput('close\n');
      expect((await python.exited).code).toBe(0);
    },
  };
}
