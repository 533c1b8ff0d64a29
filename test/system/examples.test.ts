import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { root } from './paths.js';
import { type Person, Site } from './site.js';
import { until } from './waiting.js';

// Every example is run as a reader would run it, against a real server (issue 3, part 12).
const example = (name: string): string => join(root, 'examples/dist', name);
let site: Site;
let anna: Person;
let bo: Person;

beforeAll(async () => {
  site = await Site.open({ leaseSeconds: 3 });
  await site.grant({ seats: 1, share: 'process' });
  [anna, bo] = (await site.hire('anna@studio.example', 'bo@studio.example')) as [Person, Person];
});

afterAll(() => site?.close());

const start = (name: string, words: readonly string[], env: Record<string, string> = {}, who = anna) =>
  site.start({ argv: [process.execPath, example(name), ...words], env: { BERTH_HOME: who.home, ...env } });

it('a plugin in five lines', async () => {
  const plugin = start('plugin/five-lines.js', [], { VENDOR_KEY: site.vendorKey });
  const { code, stdout } = await plugin.exited;
  expect([code, stdout]).toEqual([0, 'Rendering on 1 seat, which is held.\n']);
  expect((await site.pool()).free).toBe(1);
});

describe('an Electron-like host', () => {
  it('the main process has the seat, the window shows it and asks', async () => {
    const host = start('electron-like/main.js', ['render', site.vendorKey]);
    const shows = (line: string) => until(line, () => host.stdout.includes(`${line}\n`));
    host.tell('checkout');
    await shows('held');
    const { items } = (await site.berthOk(site.owner, ['lease', 'list', '--json'])).json;
    expect(items).toHaveLength(1);
    await site.berthOk(site.owner, ['lease', 'release', items[0].lease ?? items[0].id, '--yes', '--json']);
    await shows('saved the scene, closed the viewport');
    await until('the seat to be free', async () => (await site.pool()).free === 1);
    host.tell('checkout');
    await until(
      'a second seat',
      () => host.stdout.split('\n').filter((line) => line === 'held').length === 2,
    );
    host.tell('quit');
    expect((await host.exited).code).toBe(0);
    expect((await site.pool()).free).toBe(1);
  });
});

describe('a farm wrapper', () => {
  const node = (script: string, env: Record<string, string> = {}, key = site.vendorKey) =>
    start('farm/render-node.js', ['render', key, process.execPath, '-e', script], env);

  it('passes on what the renderer says, under a seat', async () => {
    const { code, stdout } = await node('console.log("frame 1"); process.exit(3)').exited;
    expect([code, stdout]).toEqual([3, 'frame 1\n']);
  });

  it('puts the task back when there is no seat, and says who has it', async () => {
    const holder = site.plugin(bo);
    holder.tell('checkout');
    await holder.hear({ event: 'done', order: 'checkout' });
    const { code, stderr } = await node('', { SEAT_WAIT_MS: '0' }).exited;
    expect(code).toBe(75);
    expect(stderr).toContain('NO_SEAT');
    holder.tell('close');
    await holder.exited;
  });

  it('stops the renderer when the seat is lost, and puts the task back', async () => {
    const wrapper = node('console.log("started"); setInterval(() => {}, 1000)');
    await until('the renderer', () => wrapper.stdout.includes('started'));
    await site.kill();
    const { code, stderr } = await wrapper.exited;
    await site.serve();
    expect(code).toBe(75);
    expect(stderr).toContain('still rendering, but');
    expect(stderr).toContain('the seat is lost');
  });

  it('stops the job when it can never work', async () => {
    const other = `ed25519:${'A'.repeat(42)}E`;
    const { code, stderr } = await node('', {}, other).exited;
    expect([code, stderr.split(':')[0]]).toEqual([78, 'TOKEN_INVALID']);
  });
});

it('the tests of a plugin, on the fake server', async () => {
  const run = site.start({
    argv: [process.execPath, '--test', '--test-reporter=tap', example('testing/frame-loop.test.js')],
  });
  const { code, stdout } = await run.exited;
  expect(code, stdout).toBe(0);
  expect(stdout).toContain('# pass 5');
});
