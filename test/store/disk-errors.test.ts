import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeFiles } from '@berth/server/store/files';
import { expect, test } from 'vitest';
import { failEverywhere } from '../torture/disk/errors.js';
import { runSeed } from './random.js';

// A sample of `npm run torture:disk -- errors`, which takes each operation.

test('a file operation that fails, whichever: the server stops or does not start, and nothing acknowledged is lost', {
  timeout: 60_000,
}, async () => {
  const seed = runSeed();
  console.info(`BERTH_SEED=${seed}`);
  const { operations, runs, ends, acknowledged, found } = await failEverywhere({ seed, every: 25 });
  expect(found, `BERTH_SEED=${seed}`).toEqual([]);
  expect(operations).toBeGreaterThan(150);
  expect(runs).toBeGreaterThan(60);
  expect(acknowledged).toBeGreaterThan(runs);
  expect([ends.stopped > 0, ends['did not start'] > 0, ends.unnoticed]).toEqual([true, true, 0]);
});

test('an error of an open file says of which', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'berth-files-'));
  // A folder can be opened, and not be read.
  const file = await nodeFiles.open(folder, 'read');
  await expect(file.read(0, 10)).rejects.toMatchObject({
    code: 'EISDIR',
    message: expect.stringContaining(`'${folder}'`),
  });
  await file.close();
  await expect(file.size()).rejects.toThrow(folder);
  await rm(folder, { recursive: true });
});
