import { expect, test } from 'vitest';
import { flipRun } from '../torture/disk/flip-run.js';

// A sample of `npm run torture:disk -- flips`: each kind of file once or twice.

const SEED = Number(process.env.BERTH_SEED ?? Date.now() % 1_000_000);

test(`one flipped bit: the true state is served, or the file is named (BERTH_SEED=${SEED})`, async () => {
  const { inProcess } = await flipRun({ flips: 24, real: 0, bases: 1, lives: 2, workers: 1, seed: SEED });
  const { flips, silent, unnamed, table } = inProcess;
  expect({ silent, unnamed }).toEqual({ silent: [], unnamed: [] });
  expect(flips).toBe(24);
  // Damage in the truth is refused; in what a start need not read it is said, and what is served is true (decision 0015).
  const allowed = ['refused and named', 'true state, mended and said'];
  expect(Object.keys(table['journal/N.log'] ?? {}).filter((fate) => !allowed.includes(fate))).toEqual([]);
  expect(Object.keys(table)).toContain('state/rows/N.ldb');
});
