import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Exit, Started } from './process.js';
import { pythonFolder } from './python.js';
import { type Person, Site } from './site.js';
import { until, within } from './waiting.js';

// examples/python/blender_render.py in a real Blender: a seat is held through a Cycles render, and the render stops when it is lost.
// What Blender says of the seat is printed: the times in it are the measurement.

const LEASE_SECONDS = 6;
/** PROTOCOL 6.4: what a plugin has to stop in. */
const STOP_MS = 10_000;
const asked = spawnSync('blender', ['--version'], { encoding: 'utf8', timeout: 30_000 });
const missing = asked.status === 0 ? null : 'blender is not installed (apt-get install blender)';

let site: Site;
let node: Person;

beforeAll(async () => {
  if (missing !== null) return;
  site = await Site.open({ leaseSeconds: LEASE_SECONDS });
  await site.grant({ product: 'render', seats: 1, share: 'process' });
  [node] = (await site.hire('node-01@studio.example')) as [Person];
}, 120_000);

beforeEach((context) => {
  if (missing !== null) context.skip(missing);
});

afterAll(() => site?.close());

/** Blender's own start scene, rendered into a folder of that name. */
async function blender(name: string, options: readonly string[]): Promise<Started> {
  const out = join(site.folder, name);
  await mkdir(out);
  const seat = ['--product', 'render', '--vendor-key', site.vendorKey, '--out', join(out, 'f_')];
  const script = ['--python', join(pythonFolder, 'blender_render.py'), '--', ...seat, ...options];
  return site.start({
    argv: ['blender', '-b', '--factory-startup', ...script],
    env: site.environmentOf(node, 'blender'),
  });
}

function frames(name: string): number {
  return readdirSync(join(site.folder, name)).filter((file) => file.endsWith('.png')).length;
}

function says(process: Started, words: string, withinMs = 60_000): Promise<unknown> {
  return until(
    `Blender to say "${words}"`,
    () => {
      if (process.stdout.includes(words)) return true;
      if (!process.running) throw new Error(`Blender ended: ${process.stdout}${process.stderr}`);
      return false;
    },
    withinMs,
  );
}

/** Its exit, with what it said of the seat printed. */
async function ended(name: string, process: Started): Promise<Exit> {
  const exit = await within('Blender to end', process.exited, 120_000);
  const lines = exit.stdout.split('\n').filter((line) => /^BERTH|^Saved|break event/.test(line));
  console.log([`${asked.stdout.split('\n')[0]}, ${name}: exit ${exit.code}`, ...lines].join('\n  '));
  return exit;
}

function free(): Promise<unknown> {
  return until('the seat to be free', async () => (await site.pool()).free === 1, 40_000, 250);
}

test('holds its seat through a render of several frames', async () => {
  const process = await blender('whole', ['--frames', '1-5', '--samples', '48', '--size', '320x180']);
  await says(process, 'state held');
  await until('a frame', () => frames('whole') > 0, 60_000);
  expect(await site.pool()).toMatchObject({ inUse: 1, free: 0 });
  const exit = await ended('a whole render', process);
  expect(exit, exit.stderr).toMatchObject({ code: 0 });
  expect(exit.stdout).toMatch(/BERTH [\d.]+ rendered in [\d.]+ s, state (held|grace)/);
  expect(frames('whole')).toBe(5);
  await free();
}, 180_000);

test('stops within ten seconds when the seat is taken away, and gives it back', async () => {
  const process = await blender('taken', ['--frames', '1-500', '--samples', '2000', '--size', '320x180']);
  await says(process, 'state held');
  await says(process, 'Sample ');
  const lease = /BERTH [\d.]+ seat (\S+) of/.exec(process.stdout)?.[1] ?? '';
  await site.berthOk(site.owner, ['lease', 'release', lease, '--reason', 'the night run', '--yes', '--json']);
  await says(process, 'lost: LEASE_REVOKED');
  const fromMs = performance.now();
  const exit = await ended('taken away', process);
  expect(performance.now() - fromMs).toBeLessThan(STOP_MS);
  expect(exit.code).toBe(7);
  expect(frames('taken')).toBeLessThan(500);
  await free();
}, 180_000);

test('stops within ten seconds of the loss when the server is gone, though one frame takes minutes', async () => {
  const heavy = ['--frames', '1-1', '--samples', '100000', '--size', '640x360', '--tile', '2048'];
  const process = await blender('gone', heavy);
  await says(process, 'state held');
  await says(process, 'Sample ');
  await site.kill();
  await says(process, 'grace: ');
  await says(process, 'lost: SEAT_LOST');
  const fromMs = performance.now();
  // Blender may still be tidying up after the render has stopped: it is the render that needs the seat.
  const stopped = says(process, 'the render stopped ').catch(() => undefined);
  const exiting = ended('the server is gone', process);
  await Promise.race([stopped, exiting]);
  expect(performance.now() - fromMs).toBeLessThan(STOP_MS);
  expect((await exiting).code).toBe(7);
  expect(frames('gone')).toBe(0);
}, 180_000);
