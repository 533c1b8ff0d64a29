import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BackupSource } from '@berth/server/backup/source';
import { BackupTimer } from '@berth/server/backup/timer';
import { resolveConfig } from '@berth/server/ops/config';
import { nodeFiles } from '@berth/server/store/files';
import { Journal } from '@berth/server/store/journal';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { DAY_MS, World } from './domain/world.js';

// A backup that has nowhere to go fails at once: what is looked at is when the next one is tried.

let folder: string;
let journal: Journal;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'berth-timer-'));
  journal = await Journal.open({ files: nodeFiles, folder, onRecord: () => {} });
});
afterEach(async () => {
  await journal.close();
  await rm(folder, { recursive: true });
});

/** @returns a look, and how many backups were tried by then */
function timing(world: World): () => Promise<number> {
  const resolved = resolveConfig({ flags: { 'backup-hours': 24 }, env: {} });
  if (!resolved.ok) throw new Error(JSON.stringify(resolved));
  let tried = 0;
  const timer = new BackupTimer({
    files: nodeFiles,
    source: new BackupSource(nodeFiles, folder, journal, () => world.now.monoMs),
    state: world.state,
    now: () => world.now,
    config: () => resolved.config,
    submit: async (command) => world.send(command) as never,
    mend: async () => false,
    log: { info: () => {}, error: () => tried++ },
  });
  return async () => {
    timer.look();
    await new Promise((resolve) => setImmediate(resolve));
    return tried;
  };
}

const noted = (world: World, madeAtMs: number) =>
  world.ok({ type: 'noteBackup', seq: 1, bytes: 1, madeAtMs }).backup.atMs;

test('none is due within the hours of the last one', async () => {
  const world = new World();
  const look = timing(world);
  noted(world, world.now.wallMs);
  world.pass(DAY_MS - 1);
  expect(await look()).toBe(0);
  world.pass(1);
  expect(await look()).toBe(1);
});

test('one that was made while the clock was ahead does not put off the next', async () => {
  const world = new World();
  const look = timing(world);
  const { wallMs } = world.now;
  world.now = { ...world.now, wallMs: wallMs + 400 * DAY_MS };
  noted(world, world.now.wallMs);
  world.now = { ...world.now, wallMs };
  expect(await look()).toBe(1);
});

test('after a failure the next try waits ten minutes, however the clock is set meanwhile', async () => {
  const world = new World();
  const look = timing(world);
  const { wallMs } = world.now;
  world.now = { ...world.now, wallMs: wallMs + 400 * DAY_MS };
  expect(await look()).toBe(1);
  world.now = { ...world.now, wallMs };
  world.pass(10 * 60_000 - 1);
  expect(await look()).toBe(1);
  world.pass(1);
  expect(await look()).toBe(2);
});

test('nobody makes a backup in the time to come', () => {
  const world = new World();
  expect(noted(world, world.now.wallMs + DAY_MS)).toBe(world.now.wallMs);
});
