import { copyFolder } from '@berth/server/store/folder-copy';
import { FOLDER_FORMAT, migrateFolder, migrations, stepsFrom } from '@berth/server/store/migrations';
import { describe, expect, test } from 'vitest';
import { FaultyFiles, type Survivors } from './faulty-files.js';
import { runSeed, seeded } from './random.js';

const DATA = '/site/data';
const COPY = '/site/data.format-1';
const marker = { format: 1, server: 'srv-1', settings: { listen: '127.0.0.1:7433' } };

async function oldFolder(): Promise<FaultyFiles> {
  const files = new FaultyFiles();
  for (const folder of ['/site', DATA, `${DATA}/keys`, `${DATA}/journal`, `${DATA}/state`])
    await files.makeFolder(folder);
  files.put(`${DATA}/berthd.json`, Buffer.from(JSON.stringify(marker)));
  files.put(`${DATA}/keys/server.key`, Buffer.from('secret'));
  files.put(`${DATA}/journal/00000000000000000001.log`, Buffer.alloc(300, 7));
  files.put(`${DATA}/journal/head`, Buffer.alloc(1024, 1));
  return files;
}

async function migrate(files: FaultyFiles): Promise<void> {
  const { format } = JSON.parse(files.get(`${DATA}/berthd.json`).toString()) as { format: number };
  if (format === FOLDER_FORMAT) return;
  await migrateFolder(files, DATA, format, '9.9.9');
}

/** The files of a folder, without what was being written when the power went. */
function contents(files: FaultyFiles, folder: string): Record<string, string> {
  const all = Object.entries(files.snapshot()).filter(([path]) => path.startsWith(`${folder}/`));
  return Object.fromEntries(
    all
      .map(([path, hex]) => [path.slice(folder.length + 1), hex] as const)
      .filter(([path]) => path !== 'copy.json' && !path.endsWith('.new')),
  );
}

describe('the way from format 1 to this one', () => {
  test('every format has a step, and the steps lead here', () => {
    expect(stepsFrom(1).at(-1)?.to).toBe(FOLDER_FORMAT);
    expect(stepsFrom(FOLDER_FORMAT)).toEqual([]);
    for (const { from, to } of migrations) expect(to).toBe(from + 1);
  });

  test('a power cut at any step leaves the old format, one on the way or the new one, a whole copy before the new one, and can be run again', async () => {
    const seed = runSeed();
    console.info(`BERTH_SEED=${seed}`);
    const random = seeded(seed);
    const whole = await oldFolder();
    const before = contents(whole, DATA);
    await migrate(whole);
    const after = contents(whole, DATA);
    const between: Record<string, string>[] = [];
    const half = await oldFolder();
    for (const step of migrations) {
      await step.run(half, DATA, '9.9.9');
      between.push(contents(half, DATA));
    }
    expect(JSON.parse(whole.get(`${DATA}/berthd.json`).toString())).toEqual({
      ...marker,
      format: FOLDER_FORMAT,
      writtenBy: '9.9.9',
      check: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    const fates: Survivors[] = ['NONE', 'ALL', random, random, random];
    let cuts = 0;
    for (let crashAt = 1; crashAt <= whole.steps; crashAt += 1) {
      for (const survivors of fates) {
        const files = await oldFolder();
        files.crashAt = crashAt;
        await expect(migrate(files)).rejects.toMatchObject({ code: 'CRASHED' });
        files.powerCut(survivors);
        const found = contents(files, DATA);
        expect([before, ...between]).toContainEqual(found);
        // A newer format is never there without the old folder beside it.
        if (JSON.stringify(found) !== JSON.stringify(before)) expect(contents(files, COPY)).toEqual(before);
        await migrate(files);
        expect(contents(files, DATA)).toEqual(after);
        expect(contents(files, COPY)).toEqual(before);
        cuts += 1;
      }
    }
    expect(cuts).toBeGreaterThan(100);
  });

  test('a write that fails is an error, and the next run mends it', async () => {
    const { steps } = await (async () => {
      const files = await oldFolder();
      await migrate(files);
      return files;
    })();
    for (let failAt = 1; failAt <= steps; failAt += 1) {
      const files = await oldFolder();
      const before = contents(files, DATA);
      files.failAt = failAt;
      files.errno = 'ENOSPC';
      await expect(migrate(files)).rejects.toMatchObject({ code: 'ENOSPC' });
      files.failAt = Number.POSITIVE_INFINITY;
      await migrate(files);
      expect(contents(files, COPY)).toEqual(before);
      expect(files.openFiles).toBe(0);
    }
  });

  test("a copy of another state of the folder is somebody else's backup and stays", async () => {
    const files = await oldFolder();
    await copyFolder(files, DATA, COPY);
    const first = contents(files, COPY);
    files.put(`${DATA}/journal/head`, Buffer.alloc(1024, 2));
    const second = await copyFolder(files, DATA, COPY);
    expect(second).toMatchObject({ folder: `${COPY}.2`, reused: false });
    expect(contents(files, COPY)).toEqual(first);
    expect(await copyFolder(files, DATA, COPY)).toMatchObject({ folder: `${COPY}.2`, reused: true });
  });
});
