import { spawnSync } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bins } from './paths.js';
import { Site } from './site.js';

// What berthd prints, where stdout does not take it: one sentence and the next step, never a stack.

let site: Site;
let backup: string;
let passphrase: string;

beforeAll(async () => {
  site = await Site.open();
  backup = join(site.folder, 'site.backup');
  passphrase = join(site.folder, 'passphrase');
  await writeFile(passphrase, 'correct horse battery\n', { mode: 0o600 });
  await site.berthOk(site.owner, ['backup', 'create', '--out', backup, '--passphrase-file', passphrase]);
  await site.stop();
}, 120_000);

afterAll(() => site?.close());

function berthd(words: readonly string[], into: string) {
  const argv = ['-c', `"$@" ${into}`, 'sh', process.execPath, bins.berthd, ...words];
  return spawnSync('sh', argv, { encoding: 'utf8', timeout: 30_000 });
}

describe('a full disk', () => {
  const told = (words: readonly string[]): string => {
    const { status, stdout, stderr } = berthd(words, '> /dev/full');
    expect([words, status, stdout]).toEqual([words, 1, '']);
    expect(stderr).toMatch(/^berthd: OUTPUT_LOST stdout cannot be written: the disk is full\..*\n {2}.*\n$/);
    return stderr;
  };

  test('every command that prints ends with one sentence and exit code 1', async (context) => {
    if (process.platform !== 'linux') return context.skip('there is no /dev/full');
    const fresh = join(site.folder, 'fresh');
    const init = ['init', '--data', fresh, '--owner', site.owner.email];
    expect(told(init)).toContain(`remove the folder ${fresh}`);
    await rm(fresh, { recursive: true });
    expect(berthd(init, '| cat').stdout).toContain('berth://');
    const asked = [['check'], ['check', '--json'], ['migrate'], ['migrate', '--dry-run', '--json']];
    for (const words of asked)
      expect(told([...words, '--data', site.data])).not.toContain('The server is made');
    const restored = join(site.folder, 'restored');
    const restore = ['restore', backup, '--data', restored, '--passphrase-file', passphrase];
    expect(told(restore)).toContain(`berthd serve --data ${restored}`);
    expect(berthd(['check', '--data', restored], '| cat').stdout).toMatch(/^ok /);
    for (const words of [['--help'], ['serve', '--help'], ['--version'], ['serve', '--dev']]) told(words);
  }, 60_000);
});

test('a reader that went away is no error', () => {
  for (const words of [['check', '--data', site.data], ['--help']]) {
    const { stderr } = berthd(words, '| exec true; exit 0');
    expect([words, stderr]).toEqual([words, '']);
  }
});

test('but where the only link goes with it, init says so', async () => {
  const fresh = join(site.folder, 'unread');
  const words = ['init', '--data', fresh, '--owner', site.owner.email];
  const { stderr } = berthd(words, '| exec true; exit 0');
  expect(stderr).toContain('stdout cannot be written: its reader went away.');
  expect(stderr).toContain(`remove the folder ${fresh}`);
});
