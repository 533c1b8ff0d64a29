import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bins } from './paths.js';
import { Site } from './site.js';
import { until, within } from './waiting.js';

let site: Site;

beforeAll(async () => {
  site = await Site.found();
});

afterAll(() => site?.close());

/** Everything below a folder, with the bits that let others in. */
async function openToOthers(folder: string): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name);
    if (((await stat(path)).mode & 0o077) !== 0) found.push(path.slice(folder.length + 1));
  }
  return found.sort();
}

test('whatever the umask is, nobody else can read the folder; certificates are no secret', async () => {
  // As from a service manager that sets none.
  const shell = (words: string[]): string[] => ['sh', '-c', 'umask 000 && exec "$@"', 'sh', ...words];
  const init = site.start({
    argv: shell([process.execPath, bins.berthd, 'init', '--data', site.data, '--owner', site.owner.email]),
  });
  expect((await within('init', init.exited)).code).toBe(0);
  const serve = site.start({
    argv: shell([process.execPath, bins.berthd, 'serve', '--data', site.data, '--listen', '127.0.0.1:0']),
  });
  await until('berthd to serve', () => serve.stdout.includes('"msg":"serving"'));
  serve.signal('SIGTERM');
  await serve.exited;
  expect(await openToOthers(site.data)).toEqual(['tls/ca.crt', 'tls/server.crt']);
  expect((await stat(site.data)).mode & 0o777).toBe(0o700);
});

test('init where no folder can be made ends with a sentence, and at once', async () => {
  const init = site.start({
    argv: [
      process.execPath,
      bins.berthd,
      'init',
      '--data',
      '/proc/berth/data',
      '--owner',
      'it@studio.example',
    ],
  });
  const { code, stderr } = await within('init to end', init.exited, 20_000);
  expect([code, stderr]).toEqual([
    1,
    expect.stringMatching(/^berthd: FOLDER_UNREADABLE \/proc\/berth\/data /),
  ]);
  expect(stderr).toContain('Check the path');
});
