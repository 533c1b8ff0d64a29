import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeBackup } from '@berth/server/backup/backup-file';
import { BackupSource } from '@berth/server/backup/source';
import { nodeFiles } from '@berth/server/store/files';
import { Journal } from '@berth/server/store/journal';
import { afterEach, beforeEach, expect, test } from 'vitest';

let folder: string;
let journal: Journal;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'berth-backup-source-'));
  await mkdir(join(folder, 'tls'));
  await writeFile(join(folder, 'berthd.json'), '{}');
  journal = await Journal.open({ files: nodeFiles, folder, segmentBytes: 1024, onRecord: () => {} });
  for (let at = 0; at < 40; at++) await journal.append(Buffer.from(`{"v":1,"changes":[],"at":${at}}`));
});
afterEach(async () => {
  await journal.close();
  await rm(folder, { recursive: true, force: true });
});

test('a journal that was damaged on the disk becomes no backup, and leaves those that are there', async () => {
  const source = new BackupSource(nodeFiles, folder, journal, () => 0);
  const backup = (name: string) =>
    writeBackup(nodeFiles, join(folder, name), 'correct horse battery staple', source, {
      ...{ server: 'ed25519:x', epoch: 'e', atMs: 1, signal: new AbortController().signal },
    });
  expect((await backup('good.backup')).seq).toBe(40);
  const { file, firstSeq } = journal.segments[1]!;
  const bytes = await readFile(file);
  bytes[bytes.length - 1]! ^= 1;
  await writeFile(file, bytes);
  const last = journal.segments[2]!.firstSeq - 1;
  await expect(backup('bad.backup')).rejects.toMatchObject({ code: 'JOURNAL_CORRUPT', file, seq: last });
  expect(last).toBeGreaterThan(firstSeq);
  expect((await readdir(folder)).filter((name) => name.endsWith('.backup'))).toEqual(['good.backup']);
}, 60_000);

test('files of the journal are removed while no backup reads them, and none begins meanwhile', async () => {
  let nowMs = 0;
  const source = new BackupSource(nodeFiles, folder, journal, () => nowMs);
  expect(source.isRead).toBe(false);
  const first = (await source.cut()).position.seq;
  await journal.append(Buffer.from('{"v":1,"changes":[]}'));
  const second = (await source.cut()).position.seq;
  source.over(first);
  // Said once more after a lost answer, it ends no other one.
  source.over(first);
  expect(source.isRead).toBe(true);
  source.over(second);
  expect(source.isRead).toBe(false);
  // Two that end with the same record are two.
  await Promise.all([source.cut(), source.cut()]);
  source.over(second);
  expect(source.isRead).toBe(true);
  source.over(second);
  expect(source.isRead).toBe(false);
  // One that was given up without a word does not hold them for ever; one that goes on reading does.
  await source.cut();
  nowMs += 50_000;
  await source.segment(1, 0, 10);
  nowMs += 50_000;
  expect(source.isRead).toBe(true);
  nowMs += 20_000;
  expect(source.isRead).toBe(false);
  const done: string[] = [];
  let removed = (): void => {};
  const removing = source.alone(async () => {
    await new Promise<void>((resolve) => {
      removed = resolve;
    });
    done.push('removed');
  });
  const cutting = source.cut().then(() => done.push('cut'));
  const then = source.alone(async () => expect(source.isRead).toBe(true));
  await new Promise(setImmediate);
  expect(done).toEqual([]);
  removed();
  await Promise.all([removing, cutting, then]);
  expect(done).toEqual(['removed', 'cut']);
});

test('what is wrong with a base is judged by the one that is named then, not by the one before a prune that is under way', async () => {
  const sound = { segments: journal.segments, named: null };
  const before = {
    segments: [{ ...journal.segments[0]!, firstSeq: 11 }],
    named: { at: 10, hash: 'a', sha256: 'b' },
  };
  let now: Pick<Journal, 'segments' | 'named'> = before;
  const watched = {
    cut: () => journal.cut(),
    bytesOf: journal.bytesOf.bind(journal),
    bytesOfBase: journal.bytesOfBase.bind(journal),
    get segments() {
      return now.segments;
    },
    get named() {
      return now.named;
    },
  };
  const source = new BackupSource(nodeFiles, folder, watched, () => 0);
  expect((await source.damage())?.words).toMatch(/is missing/);
  const pruning = source.alone(async () => {
    now = sound;
  });
  const asked = source.damage();
  await pruning;
  expect(await asked).toBe(null);
});
