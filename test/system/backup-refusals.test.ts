import { existsSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { newIdempotencyKey, openAdmin } from '@berth/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bins } from './paths.js';
import type { Exit } from './process.js';
import { type Ran, Site } from './site.js';
import { SmallDisk } from './small-disk.js';
import { until } from './waiting.js';

// Backups that cannot be made, and folders that cannot be made of one (issue 5, part 9): what happened, what to do, a documented exit code, and nothing is left.

let site: Site;
let passphrase: string;
let disk: SmallDisk | null = null;

beforeAll(async () => {
  site = await Site.open();
  passphrase = await site.write('passphrase', 'correct horse battery staple\n');
  disk = await SmallDisk.mount(1).catch((error: Error) => {
    // A build that cannot show this must not look as if it had.
    if (process.env.CI === 'true') throw error;
    console.log(`skipped, a full disk: ${error.message}`);
    return null;
  });
}, 120_000);

afterAll(async () => {
  await site?.close();
  await disk?.unmount();
});

const inSite = (name: string): string => join(site.folder, name);
const createArgs = (out: string) => ['backup', 'create', '--out', out, '--passphrase-file', passphrase];
const create = (out: string): Promise<Ran> => site.berth(site.owner, [...createArgs(out), '--json']);
const restore = (file: string, data: string): Promise<Exit> => {
  const argv = [process.execPath, bins.berthd, 'restore', file, '--data', data];
  return site.start({ argv: [...argv, '--passphrase-file', passphrase] }).exited;
};

/** Of a server that has done nothing yet: the state is most of what a restore of it writes. */
const whole = (): string => inSite('whole.backup');

test('create: a name that is taken, a folder, no folder: refused, and the next step said', async () => {
  await writeFile(inSite('taken'), 'mine');
  await mkdir(inSite('folder'));
  expect((await create(whole())).code).toBe(0);
  for (const [out, code] of [
    ['taken', 'FILE_EXISTS'],
    ['folder', 'FILE_EXISTS'],
    ['none/x.backup', 'FOLDER_UNWRITABLE'],
  ] as const) {
    const ran = await create(inSite(out));
    expect([ran.code, ran.json.error], out).toMatchObject([1, { code, next: expect.any(String) }]);
  }
  expect((await readdir(site.folder)).filter((name) => name.endsWith('.new'))).toEqual([]);
});

test('create: a full disk is named, and nothing of a backup stays on it', async ({ skip }) => {
  if (disk === null) return skip();
  await disk.leaveFree(4096);
  const { code, json } = await create(join(disk.path, 'x.backup'));
  expect([code, json.error]).toMatchObject([
    1,
    { code: 'FOLDER_UNWRITABLE', message: expect.stringContaining('the disk is full') },
  ]);
  expect(await readdir(disk.path)).toEqual(['filler']);
});

test('create: Ctrl-C in the middle leaves nothing, says so by its exit code, and it can be run again', async () => {
  await largeJournal();
  const out = inSite('interrupted.backup');
  const started = site.start({
    argv: site.berthArgv(createArgs(out)),
    env: site.environmentOf(site.owner, 'berth'),
  });
  await until('the file to be begun', () => existsSync(`${out}.new`), undefined, 1);
  started.signal('SIGINT');
  const { code, stderr } = await started.exited;
  expect([code, stderr]).toEqual([3, expect.stringContaining('CANCELLED')]);
  expect((await readdir(site.folder)).filter((name) => name.startsWith('interrupted'))).toEqual([]);
  expect((await create(out)).code).toBe(0);
});

test('restore: where no folder can be made, and onto a disk that is too small: at once, by name, and nothing is left', async ({
  skip,
}) => {
  for (const data of ['/proc/berth/data', whole()]) {
    const { code, stderr } = await restore(whole(), data);
    expect([code, stderr], data).toEqual([1, expect.stringMatching(/FOLDER_UNREADABLE .*cannot be used/)]);
  }
  if (disk === null) return skip();
  for (const kib of [0, 16, 40, 52]) {
    await disk.leaveFree(kib * 1024);
    const { code, stderr } = await restore(whole(), join(disk.path, 'data'));
    expect([code, stderr], `${kib} KiB`).toEqual([
      1,
      expect.stringMatching(/RESTORE_FAILED .*could not be restored: .*[Nn]o space left.*then run it again/s),
    ]);
    expect(await readdir(join(disk.path, 'data'))).toEqual([]);
  }
});

/** Two MiB of a table that was put up, so that a backup takes a moment. */
async function largeJournal(): Promise<void> {
  const admin = await openAdmin({ home: site.owner.home });
  const cells = ['x'.repeat(390), 'y'.repeat(390)];
  try {
    const upload = newIdempotencyKey();
    for (let from = 0; from < 1400; from += 14) {
      const rows = Array.from({ length: 14 }, (_, at) => ({ line: from + at + 1, cells }));
      await admin.call('bulk.put', { upload, header: ['email', 'name'], from, rows });
    }
    await admin.call('bulk.apply', { key: newIdempotencyKey(), upload, kind: 'invite' });
  } finally {
    await admin.close();
  }
}
