import { readFileSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ErrorCode, errors } from '@berth/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bins, root } from './paths.js';
import { Started } from './process.js';
import { until, within } from './waiting.js';

// docs/plugin-developers.md: what a reader would paste is pasted here (issue 3, part 15).
const page = readFileSync(join(root, 'docs/plugin-developers.md'), 'utf8');
const blocks = (language: string): string[] =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map((match) => match[1]!);

/** Inside a package of ours, so that imports lead where a reader's do; not in git. */
const folder = join(root, 'test/dist/snippets');
const started: Started[] = [];

/** What a snippet leaves to the reader's plugin, and to the snippet before it. */
const prelude = `
declare function statusBar(text: string): void;
declare function stopAndSave(why: string): void;
declare function renderOneFrame(): Promise<void>;
declare function askUser(question: string): Promise<boolean>;
declare function askUserForText(question: string): Promise<string>;
declare function offerToWait(nextFreeAtMs: number | null): void;
declare function log(text: string): void;
declare const renderer: { stop(): void };
declare const scene: { saveCopy(): Promise<void> };
declare const cancelButton: AbortController;
declare const job: { readonly id: string };
declare const window: { onInput(then: () => void): void; onNobodyThere(then: (forMs: number) => void): void };
`;
const objects = `
declare const client: import('@berth/client').Client;
declare const seat: import('@berth/client').Seat;
`;

beforeAll(async () => {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
});

afterAll(async () => {
  await Promise.all(started.map((one) => one.kill()));
  await rm(folder, { recursive: true, force: true });
});

function start(argv: readonly string[], env: Record<string, string> = {}): Started {
  const process_ = new Started({ argv, env, cwd: folder });
  started.push(process_);
  return process_;
}

describe('five minutes to a seat', () => {
  it('the server, the lines to paste and the plugin work as they stand there', async () => {
    expect(blocks('sh')[0]).toBe('npx --no-install berthd serve --dev\n');
    const server = start([process.execPath, bins.berthd, 'serve', '--dev', '--listen', '127.0.0.1:0']);
    await until('the lines', () => server.stdout.includes('client.close()'));
    const env = Object.fromEntries(
      [...server.stdout.matchAll(/^ {2}export (\w+)='(.*)'$/gm)].map(([, name, value]) => [name!, value!]),
    );
    const [plugin = ''] = blocks('js');
    // The same that the server prints.
    for (const line of plugin.trim().split('\n')) expect(server.stdout).toContain(line);
    await writeFile(join(folder, 'plugin.mjs'), plugin);
    const ran = await within('the plugin', start([process.execPath, 'plugin.mjs'], env).exited);
    expect([ran.code, ran.stdout]).toEqual([0, '1 seat of render, held\n']);
  });
});

describe('every snippet', () => {
  it('compiles, as strictly as our own code', async () => {
    const snippets = blocks('ts');
    expect(snippets.length).toBeGreaterThan(8);
    for (const [at, text] of snippets.entries()) {
      const own = /\bconst client\b|\busing client\b/.test(text) ? '' : objects;
      await writeFile(join(folder, `snippet-${at}.ts`), `${text}\nexport {};\n${prelude}${own}`);
    }
    const options = { rootDir: '.', outDir: 'out', composite: false, types: ['node'], declaration: false };
    const config = { extends: '../../../tsconfig.base.json', compilerOptions: options, include: ['*.ts'] };
    await writeFile(
      join(folder, 'tsconfig.json'),
      JSON.stringify({ ...config, compilerOptions: { ...options, declarationMap: false } }),
    );
    const tsc = await within(
      'tsc',
      start([process.execPath, join(root, 'node_modules/typescript/bin/tsc'), '-p', '.']).exited,
      60_000,
    );
    expect(tsc.stdout).toBe('');
    expect(tsc.code).toBe(0);
  });

  it('that is a test passes', async () => {
    const at = blocks('ts').findIndex((text) => text.includes('FakeServer'));
    const run = await within(
      'the test',
      start([process.execPath, '--test', `out/snippet-${at}.js`]).exited,
      30_000,
    );
    expect(run.code, run.stdout).toBe(0);
    expect(run.stdout).toMatch(/pass 1/);
  });
});

describe('what the page says', () => {
  it('of errors is what the catalogue says', () => {
    const rows = [...page.matchAll(/^\| `([A-Z_]+)` +\| (yes|no) +\|/gm)];
    expect(rows.length).toBeGreaterThan(15);
    const told = rows.map(([, code, retryable]) => [code, retryable === 'yes']);
    const known = rows.map(([, code]) => [code, errors[code as ErrorCode]?.retryable]);
    expect(told).toEqual(known);
  });

  it('of commands exists', async () => {
    const named = [...page.matchAll(/\bberth (user invite|join|lease list|lease release|run)\b/g)].map(
      (match) => match[1]!,
    );
    expect(new Set(named).size).toBe(5);
    for (const command of new Set(named)) {
      const help = await start([process.execPath, bins.berth, ...command.split(' '), '--help']).exited;
      expect([command, help.code]).toEqual([command, 0]);
    }
    const serve = await start([process.execPath, bins.berthd, 'serve', '--help']).exited;
    expect(serve.stdout).toContain('--web-origins');
  });
});
