import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { root } from './paths.js';
import { Started } from './process.js';
import { until, within } from './waiting.js';

// A run that is interrupted leaves nobody behind, whatever it was in the middle of.

const logs = mkdtempSync(join(tmpdir(), 'berth-left-'));
afterAll(() => rmSync(logs, { recursive: true }));

const compiled = (file: string): string => join(root, 'test/dist', file);

/** Says that it is there, and stays. */
const sleeper = "console.log('here'); setInterval(() => undefined, 1000);";
const starter = `
  import { Started } from ${JSON.stringify(pathToFileURL(compiled('system/process.js')).href)};
  const child = new Started({ argv: [process.execPath, '-e', ${JSON.stringify(sleeper)}] });
  setInterval(() => { if (child.stdout !== '') console.log(JSON.stringify({ event: 'child', pid: child.pid })); }, 10);
`;

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
  '%s: what it had started ends with it',
  async (signal) => {
    const run = new Started({ argv: [process.execPath, '--input-type=module', '-e', starter] });
    const pid = Number((await run.hear({ event: 'child' })).pid);
    expect(isThere(pid)).toBe(true);
    run.signal(signal);
    expect(await within('the run to end', run.exited)).toMatchObject({ signal });
    await until('its child to end', () => !isThere(pid));
  },
);

test.each([
  ['a server of npm run torture', 'torture/doomed-berthd.js', '/nonexistent', undefined],
  [
    'its clients',
    'torture/crowd.js',
    JSON.stringify({
      ...{ logs, vendorKey: 'ed25519:none', server: '127.0.0.1:1', seed: 1 },
      members: [{ name: 'nobody', home: '/nonexistent', product: 'render' }],
    }),
    '{"event":"here"}',
  ],
])('%s ends with whoever started it, even by SIGKILL', async (_, file, word, says) => {
  const child = new Started({ argv: [process.execPath, compiled(file), word] });
  if (says !== undefined) await until('it to be there', () => child.stdout.includes(says));
  expect(child.running).toBe(true);
  // What the end of the other side of its pipe looks like.
  child.endInput();
  expect((await within('its end', child.exited)).code).toBe(1);
});

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
