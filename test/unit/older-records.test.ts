import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfig } from '@berth/server/commands/serve';
import { openDataFolder } from '@berth/server/data-folder';
import { foundServer } from '@berth/server/found';
import { steadyClock } from '@berth/server/ops/clock';
import { createLog } from '@berth/server/ops/log';
import { Server } from '@berth/server/server';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { freePort } from '../system/network.js';
import { until } from '../system/waiting.js';

/** Every record gets a file of its own. */
const SEGMENT_MIB = 1 / 1024 / 1024;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'berth-older-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function started(data: string): Promise<Server> {
  const opened = await openDataFolder(data);
  const config = { ...(await readConfig({}, opened.stored)), journalSegmentMib: SEGMENT_MIB };
  const onFatal = (error: unknown): void => {
    throw error;
  };
  return await Server.start({
    folder: opened,
    config,
    log: createLog({ level: 'silent' }),
    onFatal,
    reread: 1,
    // Its own: that of the process has seen other tests set the time, and mistrusts it.
    clock: steadyClock(() => ({ monoMs: Math.floor(performance.now()), wallMs: Date.now() })),
  });
}

test('a server with a damaged file from long ago serves, and says so in /readyz', async () => {
  const data = join(folder, 'data');
  const settings = { listen: `127.0.0.1:${await freePort()}`, advertise: ['127.0.0.1'] };
  const organisation = { name: 'Studio', owner: 'it@studio.example' };
  await foundServer(data, organisation, await readConfig({}, settings), settings);
  for (let life = 0; life < 2; life++) await (await started(data)).stop(0);
  const whole = await started(data);
  expect(whole.health.warnings).toEqual([]);
  await whole.stop(0);
  const journal = join(data, 'journal');
  const oldest = join(journal, (await readdir(journal)).sort()[0]!);
  const bytes = await readFile(oldest);
  bytes[bytes.length - 1]! ^= 1;
  await writeFile(oldest, bytes);
  const server = await started(data);
  try {
    await until('the finding', () => server.health.warnings.includes('JOURNAL_DAMAGED'));
    expect([server.health.ready, server.health.live]).toEqual([true, true]);
  } finally {
    await server.stop(0);
  }
});
