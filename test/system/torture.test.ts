import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bundled } from '../torture/bundle.js';
import type { Programs } from '../torture/generation.js';
import { plantable } from '../torture/planted.js';
import { makeTemplate, type Template } from '../torture/template.js';
import { type Report, torture } from '../torture/torture.js';

// A small `npm run torture`: a few rounds of the real thing, and the same with a fault planted in the server, which must be seen.

const SEED = Number(process.env.BERTH_SEED ?? Date.now() % 1_000_000);
const CLIENTS = 12;

let folder: string;
let template: Template;
let crowd: string;

beforeAll(async () => {
  console.log(`torture: BERTH_SEED=${SEED}`);
  folder = await mkdtemp(join(tmpdir(), 'berth-torture-'));
  [template, crowd] = await Promise.all([makeTemplate(CLIENTS, folder), bundled('crowd')]);
}, 120_000);

afterAll(async () => {
  await template?.site.close();
  await rm(folder, { recursive: true, force: true });
});

function run(programs: Programs, rounds: number, name: string): Promise<Report> {
  const endMs = performance.now() + 120_000;
  const fixed = { template, programs, seed: SEED, processes: 2, generation: 40, livesMs: 1_000 };
  return torture({ ...fixed, folder: join(folder, name), rounds, endMs, onRound: () => undefined });
}

test(`a server killed six times loses nothing and doubles nothing (BERTH_SEED=${SEED})`, async () => {
  const report = await run({ server: await bundled('doomed-berthd'), crowd }, 6, 'sound');
  expect(report.found).toEqual([]);
  expect(report.rounds).toBe(6);
  expect(Object.values(report.kills).reduce((sum, count) => sum + count)).toBe(6);
  expect(report.tokens).toBeGreaterThan(CLIENTS);
});

test.each(['reply-before-sync'])('the fault %s is found', async (name) => {
  const report = await run({ server: await bundled('doomed-berthd', plantable[name]), crowd }, 60, name);
  console.log(`${name}: found in round ${report.rounds}: ${report.found[0]}`);
  expect(report.found.length).toBeGreaterThan(0);
});
