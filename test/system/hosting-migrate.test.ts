import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { withCheck } from '@berth/server/store/marker-check';
import { FOLDER_FORMAT } from '@berth/server/store/migrations';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bins } from './paths.js';
import type { Exit } from './process.js';
import { Site } from './site.js';
import { within } from './waiting.js';

let site: Site;
let marker: string;

beforeAll(async () => {
  site = await Site.open();
  await site.grant({ seats: 2, share: 'process' });
  await site.stop();
  marker = join(site.data, 'berthd.json');
}, 120_000);

afterAll(() => site?.close());

async function berthd(...args: string[]): Promise<Exit> {
  const started = site.start({ argv: [process.execPath, bins.berthd, ...args] });
  return within(`the end of berthd ${args.join(' ')}`, started.exited, 30_000);
}

/** The folder as the berthd of the first session left it. */
async function age(): Promise<void> {
  const { writtenBy: _, check: __, ...rest } = JSON.parse(await readFile(marker, 'utf8'));
  await writeFile(marker, JSON.stringify({ ...rest, format: 1 }));
}

const copies = async (): Promise<string[]> =>
  (await readdir(site.folder)).filter((name) => name.startsWith('data.format-'));

test('an older folder is refused with the next step; a dry run changes nothing; migrate copies, then migrates', async () => {
  await age();
  const old = await readFile(marker, 'utf8');
  const refused = await berthd('serve', '--data', site.data);
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('berthd: FORMAT_OLDER ')]);
  expect(refused.stderr).toContain('berthd migrate --data');
  expect((await site.check()).json).toMatchObject({ ok: true });

  const dry = await berthd('migrate', '--data', site.data, '--dry-run', '--json');
  expect(JSON.parse(dry.stdout)).toMatchObject({ from: 1, to: FOLDER_FORMAT, copy: null, done: false });

  for (const words of [['--dry-run=1'], ['--dry-run='], ['--dry-run', 'false'], ['--dryRun=1']]) {
    const refused = await berthd('migrate', '--data', site.data, ...words);
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('berthd: USAGE ')]);
  }
  expect([await readFile(marker, 'utf8'), await copies()]).toEqual([old, []]);

  const ran = await berthd('migrate', '--data', site.data, '--json');
  expect([ran.code, ran.stderr]).toEqual([0, '']);
  const { copy } = JSON.parse(ran.stdout);
  expect(copy).toMatchObject({ folder: `${site.data}.format-1`, reused: false });
  expect(await readFile(join(copy.folder, 'berthd.json'), 'utf8')).toBe(old);
  const key = join(copy.folder, 'keys/server.key');
  expect((await stat(key)).mode & 0o777).toBe(0o600);
  expect(JSON.parse(await readFile(marker, 'utf8'))).toMatchObject({
    format: FOLDER_FORMAT,
    check: expect.any(String),
  });

  await site.serve();
  expect(await site.pool()).toMatchObject({ owned: 2, free: 2 });
  const again = await berthd('migrate', '--data', site.data);
  expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('berthd: FOLDER_IN_USE ')]);
  await site.stop();
  expect((await berthd('migrate', '--data', site.data)).stdout).toContain('nothing to do');
  expect(await copies()).toEqual(['data.format-1']);
});

test('killed at a random moment it can be run again, and nothing is lost', async () => {
  for (const delayMs of [250, 400, 550]) {
    await age();
    const running = site.start({ argv: [process.execPath, bins.berthd, 'migrate', '--data', site.data] });
    const abort = AbortSignal.timeout(delayMs);
    abort.addEventListener('abort', () => running.signal('SIGKILL'));
    await running.exited;
    const ran = await berthd('migrate', '--data', site.data, '--json');
    expect([ran.code, ran.stderr]).toEqual([0, '']);
    expect(JSON.parse(ran.stdout)).toMatchObject({ done: true });
  }
  await site.serve();
  expect(await site.pool()).toMatchObject({ owned: 2 });
  await site.stop();
});

test('the copy is a folder that the older berthd would serve as it was', async () => {
  const { json } = await site.check(`${site.data}.format-1`);
  expect(json).toMatchObject({ ok: true });
});

test('a newer format is refused, with the version that wrote it', async () => {
  const { check: _, ...value } = JSON.parse(await readFile(marker, 'utf8'));
  await writeFile(marker, JSON.stringify(withCheck({ ...value, format: 99, writtenBy: '7.0.0' })));
  for (const command of ['serve', 'check', 'migrate']) {
    const { code, stderr } = await berthd(command, '--data', site.data);
    expect([code, stderr]).toEqual([1, expect.stringContaining('berthd: FORMAT_NEWER ')]);
    expect(stderr).toContain('berthd 7.0.0');
  }
  expect(JSON.parse(await readFile(marker, 'utf8')).format).toBe(99);
});
