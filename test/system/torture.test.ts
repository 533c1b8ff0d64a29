import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bundled } from '../torture/bundle.js';
import { Generation, type Programs } from '../torture/generation.js';
import { plantable } from '../torture/planted.js';
import { makeTemplate, type Template } from '../torture/template.js';
import { type Report, torture } from '../torture/torture.js';
import { Random } from './random.js';
import { until } from './waiting.js';

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
  const server = await bundled('doomed-berthd', plantable[name]);
  const report = await run({ server, crowd }, 60, name).finally(() => rm(server));
  console.log(`${name}: found in round ${report.rounds}: ${report.found[0]}`);
  expect(report.found.length).toBeGreaterThan(0);
});

/** Meddles as soon as it can: two deeds of admins, and one crowd of clients replaced, all at the end of a life. */
class Meddler extends Random {
  override between(_: number, high: number): number {
    return high;
  }
  override chance(): boolean {
    return true;
  }
}

describe('one generation', () => {
  /** A generation of programs that are only these lines; each crowd writes a line into `crowds` when it starts. */
  async function open(name: string, server: string, clients: string) {
    const home = join(folder, name);
    await mkdir(home, { recursive: true });
    const crowds = join(home, 'crowds');
    const [serverFile, crowdFile] = [join(home, 'server.mjs'), join(home, 'crowd.mjs')];
    await writeFile(crowds, '');
    await writeFile(serverFile, `process.stdin.once('data', () => { ${server} });`);
    const started = `import { appendFileSync } from 'node:fs'; appendFileSync(${JSON.stringify(crowds)}, 'here\\n');`;
    await writeFile(crowdFile, `${started} ${clients}`);
    const programs = { server: serverFile, crowd: crowdFile };
    const random = new Meddler(1);
    const generation = await Generation.open({ folder: home, template, programs, random, processes: 1 });
    const starts = async () => (await readFile(crowds, 'utf8')).split('\n').length - 1;
    return { generation, starts };
  }
  const serving = `console.log('{"event":"serving"}');`;
  const forEver = 'setInterval(() => undefined, 1000);';

  test('starts no clients when it is over, though they were to be replaced later', async () => {
    const dies = `${serving} process.stdout.write('', () => process.kill(process.pid, 'SIGKILL'));`;
    const { generation, starts } = await open('over', dies, forEver);
    await until('the clients', async () => (await starts()) === 1);
    const livesMs = 3_000;
    const dueMs = performance.now() + livesMs + 1_500;
    expect(await generation.live({ point: 'random', at: 1 }, livesMs)).toBe('doom');
    await generation.close();
    expect(performance.now()).toBeLessThan(dueMs);
    await until('the moment when they would have been replaced', () => performance.now() > dueMs);
    expect(await starts()).toBe(1);
  });

  test('clients that failed by themselves are found at its end', async () => {
    const stops = `process.on('SIGTERM', () => process.exit(0)); ${serving}`;
    const { generation, starts } = await open('failed', stops, `throw new Error('planted');`);
    try {
      await until('the clients', async () => (await starts()) === 1);
      await until('their end', () => generation.faults().length > 0);
      expect(await generation.finish(false)).toEqual([expect.stringContaining('planted')]);
    } finally {
      await generation.close();
    }
  });
});
