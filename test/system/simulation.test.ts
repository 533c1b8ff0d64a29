import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { root } from './paths.js';

// The simulator in a process of its own: it puts the global timers onto simulated time.

async function simulate(...words: string[]): Promise<{ report: Record<string, unknown>[]; totals: object }> {
  const main = join(root, 'test/dist/simulation/main.js');
  const { stdout } = await promisify(execFile)(process.execPath, [main, ...words], { maxBuffer: 16e6 });
  const lines = stdout.trim().split('\n');
  const report = lines.filter((line) => line.startsWith('{"seed":')).map((line) => JSON.parse(line));
  return { report, totals: JSON.parse(lines.at(-1)!) };
}

test('two seeds find nothing, and the same seed is the same history', async () => {
  const [once, again] = await Promise.all([
    simulate('--seed', '1', '--seeds', '2', '--hours', '0.5'),
    simulate('--seed', '1', '--hours', '0.5'),
  ]);
  expect(once.totals).toMatchObject({ seeds: 2, simulatedHours: 1, violations: 0 });
  expect(once.report[0]?.history).toBe(again.report[0]?.history);
  expect(once.report[0]?.history).not.toBe(once.report[1]?.history);
  // A verdict on nothing is worth nothing.
  expect(once.report[0]).toMatchObject({ judged: { tokens: expect.any(Number) } });
  expect((once.report[0]!.judged as { tokens: number }).tokens).toBeGreaterThan(50);
});
