import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runSeed } from '../store/random.js';
import { root } from './paths.js';

// The simulator in a process of its own: it puts the global timers onto simulated time.

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function simulate(...words: string[]): Promise<Ran> {
  const main = join(root, 'test/dist/simulation/main.js');
  return new Promise((resolve) => {
    execFile(process.execPath, [main, ...words], { maxBuffer: 16e6 }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

function reportsOf({ stdout }: Ran): { reports: Record<string, unknown>[]; totals: object } {
  const lines = stdout.trim().split('\n');
  const reports = lines.filter((line) => line.startsWith('{"seed":')).map((line) => JSON.parse(line));
  return { reports, totals: JSON.parse(lines.at(-1)!) };
}

/** The same each time; `.ci/run` simulates fresh ones beside it, and prints them. BERTH_SEED takes others. */
const SEED = process.env.BERTH_SEED === undefined ? 5001 : runSeed();

test('three seeds find nothing', async () => {
  const seed = SEED;
  console.log(`npm run simulate -- --seed ${seed} --seeds 3 --hours 0.5`);
  // Also when the three of them happen to include a large one.
  const small = ['--hours', '0.5', '--clients', '20'];
  const ran = await simulate('--seed', `${seed}`, '--seeds', '3', ...small, '--json');
  expect(ran.stderr).not.toContain('replay');
  const { reports, totals } = reportsOf(ran);
  expect(totals).toMatchObject({ seeds: 3, violations: 0, speed: { timesRealTime: expect.any(Number) } });
  expect(ran.code).toBe(0);
  // A verdict on nothing is worth nothing.
  const tokens = reports.map(({ judged }) => (judged as { tokens: number }).tokens);
  expect(tokens.reduce((sum, count) => sum + count, 0)).toBeGreaterThan(100);
});

test('the same seed is the same history, in whatever process', async () => {
  const words = ['--seed', '1', '--seeds', '2', '--hours', '0.1', '--json'];
  const [once, again] = await Promise.all([simulate(...words), simulate(...words, '--jobs', '2')]);
  const histories = reportsOf(once).reports.map(({ history }) => history);
  expect(reportsOf(again).reports.map(({ history }) => history)).toEqual(histories);
  expect(new Set(histories).size).toBe(2);
});

test('wrong arguments are refused with exit code 2, and --help has examples', async () => {
  const wrong = [['--seeds', '0'], ['--hours', 'long'], ['--seed', '-1'], ['--sed', '1'], ['7']];
  for (const words of wrong) expect((await simulate(...words)).code, words.join(' ')).toBe(2);
  const { code, stdout } = await simulate('--help');
  expect(code).toBe(0);
  expect(stdout).toContain('npm run simulate -- --seed 7 --json');
}, 60_000);
