import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bins, root } from './paths.js';
import { type Exit, Started } from './process.js';
import { until, within } from './waiting.js';

// What berthd --dev prints is pasted as it is: the export lines into the environment, the plugin into a file.

let server: Started;
let environment: Record<string, string>;
const started: Started[] = [];
const pluginFile = join(root, `test/system/.pasted-${process.pid}.mjs`);

function dev(...flags: string[]): Started {
  const child = new Started({ argv: [process.execPath, bins.berthd, 'serve', '--dev', ...flags] });
  started.push(child);
  return child;
}

function paste(stdout: string): Record<string, string> {
  const lines = [...stdout.matchAll(/^ {2}export (\w+)='(.*)'$/gm)];
  return Object.fromEntries(lines.map(([, name, value]) => [name!, value!]));
}

async function run(argv: readonly string[]): Promise<Exit> {
  const child = new Started({ argv, env: environment, cwd: root });
  started.push(child);
  child.endInput();
  return within(`the end of ${argv.join(' ')}`, child.exited, 30_000);
}

beforeAll(async () => {
  server = dev();
  await until('the lines to paste', () => {
    if (!server.running) throw new Error(server.stderr);
    return server.stdout.includes('client.close()');
  });
  environment = paste(server.stdout);
}, 60_000);

afterAll(async () => {
  await Promise.all(started.map((child) => child.kill()));
  await rm(pluginFile, { force: true });
});

describe('berthd serve --dev', () => {
  test('prints an environment in which berth works at once, with two products', async () => {
    expect(Object.keys(environment).sort()).toEqual(['BERTH_HOME', 'BERTH_SERVERS', 'VENDOR_KEY']);
    const { code, stdout, stderr } = await run([process.execPath, bins.berth, 'status', '--json']);
    expect([code, stderr]).toEqual([0, '']);
    expect(JSON.parse(stdout).pools).toMatchObject([
      { product: 'render', owned: 5, free: 5 },
      { product: 'sim', owned: 2, free: 2 },
    ]);
    const whoami = await run([process.execPath, bins.berth, 'whoami', '--json']);
    expect(JSON.parse(whoami.stdout).user).toMatchObject({ role: 'owner' });
  });

  test('prints a plugin of five lines that holds a seat when it is pasted', async () => {
    const plugin = /plugin\.mjs:\n\n((?: {2}.*\n)+)/.exec(server.stdout)?.[1] ?? '';
    const lines = plugin.trimEnd().split('\n');
    expect(lines).toHaveLength(5);
    await writeFile(pluginFile, lines.map((line) => line.slice(2)).join('\n'));
    const { code, stdout, stderr } = await run([process.execPath, pluginFile]);
    expect([code, stderr, stdout]).toEqual([0, '', '1 seat of render, held\n']);
  });

  test('five-lines.ts of the examples runs in the same environment', async () => {
    const { code, stdout } = await run([process.execPath, join(root, 'examples/dist/plugin/five-lines.js')]);
    expect([code, stdout]).toEqual([0, 'Rendering on 1 seat, which is held.\n']);
  });

  test('is gone with Ctrl-C, and so is everything it made', async () => {
    const folder = dirname(environment.BERTH_HOME!);
    expect(await readdir(folder)).toEqual(['data', 'home']);
    server.signal('SIGINT');
    expect((await within('berthd to end', server.exited, 10_000)).code).toBe(0);
    await expect(readdir(folder)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('clears away what a kill -9 left', async () => {
    const killed = dev();
    await until('the lines to paste', () => killed.stdout.includes('client.close()'));
    const left = dirname(paste(killed.stdout).BERTH_HOME!);
    await killed.kill();
    expect(await readdir(left)).not.toEqual([]);
    const next = dev();
    await until('the lines to paste', () => next.stdout.includes('client.close()'));
    await expect(readdir(left)).rejects.toMatchObject({ code: 'ENOENT' });
    next.signal('SIGTERM');
    await next.exited;
  });

  test("what another user left is in nobody else's way", async (context) => {
    if (process.getuid?.() !== 0) context.skip('needs root: it starts a process of another user');
    const left = await Promise.all(
      ['/dev/shm', tmpdir()].map(async (parent) => {
        const folder = join(parent, 'berthd-dev-2147483647');
        await mkdir(folder, { recursive: true });
        return folder;
      }),
    );
    const nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
    const child = new Started({ argv: [...nobody, process.execPath, bins.berthd, 'serve', '--dev'] });
    started.push(child);
    await until('the lines to paste', () => {
      if (!child.running) throw new Error(child.stderr);
      return child.stdout.includes('client.close()');
    });
    child.signal('SIGTERM');
    await child.exited;
    for (const folder of left) await rm(folder, { recursive: true });
  });

  test.each([
    [['--listen', '0.0.0.0:0'], 'CONFIG_INVALID'],
    [['--data', '/tmp/x'], 'USAGE'],
  ])('refuses %j', async (flags, code) => {
    const exit = await within('berthd to refuse', dev(...flags).exited);
    expect([exit.code, exit.stderr]).toEqual([2, expect.stringContaining(`berthd: ${code} `)]);
  });
});
