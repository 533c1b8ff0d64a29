import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bins, root } from './paths.js';
import { Started } from './process.js';

const unitFile = join(root, 'examples/systemd/berthd.service');
let folder: string;
let unit: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'berth-unit-'));
  const text = await readFile(unitFile, 'utf8');
  // What is started has to be there: this checkout and this node stand for /opt/berth and /usr/bin/node.
  unit = join(folder, 'berthd.service');
  await writeFile(unit, text.replace('/usr/bin/node', process.execPath).replaceAll('/opt/berth', root));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

/** Why it cannot be asked here; `null` when it can. */
function missing(): string | null {
  try {
    execFileSync('systemd-analyze', ['--version'], { stdio: 'ignore' });
    return null;
  } catch {
    return 'there is no systemd-analyze here (Debian: apt-get install systemd)';
  }
}

async function analyze(...args: string[]): Promise<{ code: number; text: string }> {
  const started = new Started({ argv: ['systemd-analyze', '--no-pager', ...args] });
  const { code, stdout, stderr } = await started.exited;
  return { code, text: stdout + stderr };
}

describe('examples/systemd/berthd.service', () => {
  test('systemd-analyze verify has nothing to say', async ({ skip }) => {
    const why = missing();
    if (why !== null) {
      console.info(`skipped: ${why}`);
      skip(why);
    }
    expect(await analyze('verify', '--man=no', unit)).toEqual({ code: 0, text: '' });
  });

  test('systemd-analyze security: exposure of 2.0 or less', async ({ skip }) => {
    const why = missing();
    if (why !== null) {
      console.info(`skipped: ${why}`);
      skip(why);
    }
    // The threshold is ten times the number that is shown.
    const { code, text } = await analyze('security', '--offline=true', '--threshold=20', unit);
    console.info(text.trim().split('\n').at(-1));
    expect(code, text).toBe(0);
  });

  test('starts what is documented: the flags it uses are flags of berthd serve', async () => {
    const text = await readFile(unitFile, 'utf8');
    const start = /^ExecStart=\/usr\/bin\/node \/opt\/berth\/(\S+) serve (.*)$/m.exec(text);
    expect(join(root, start![1]!)).toBe(bins.berthd);
    const help = await new Started({ argv: [process.execPath, bins.berthd, 'serve', '--help'] }).exited;
    for (const [flag] of start![2]!.matchAll(/--[a-z-]+/g)) expect(help.stdout).toContain(flag);
  });
});
