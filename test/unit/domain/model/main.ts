import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { askedFor, numberOf, SEEDS, words } from '../../../asked.js';
import { root } from '../../../fuzz/root.js';

// `npm run test:model -- --runs N [--seed S]`: the model test with more histories than `npm test` has time for.

const help = `npm run test:model -- [--runs N] [--seed S]

Random histories of commands against the real domain and a model that is one counter a pool, for each of the three share rules.

  --runs N    histories for each share rule (5000, or MODEL_RUNS)
  --seed S    the same histories again (random, or MODEL_SEED)
  --help`;

const values = askedFor(help, () => {
  const { values: given } = parseArgs({
    args: words(),
    options: {
      runs: { type: 'string', default: process.env.MODEL_RUNS ?? '5000' },
      seed: {
        type: 'string',
        default: process.env.MODEL_SEED ?? String(Math.floor(Math.random() * 2 ** 31)),
      },
      help: { type: 'boolean', default: false },
    },
  });
  return {
    runs: numberOf('runs', given.runs, { least: 1, most: 10_000_000 }),
    seed: numberOf('seed', given.seed, SEEDS),
    help: given.help,
  };
});

console.log(`${values.runs} histories for each share rule, seed ${values.seed}`);
const vitest = join(root, 'node_modules/vitest/vitest.mjs');
const { status } = spawnSync(
  process.execPath,
  [vitest, 'run', '--project', 'unit', 'test/unit/domain/model'],
  {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, MODEL_RUNS: String(values.runs), MODEL_SEED: String(values.seed) },
  },
);
process.exitCode = status ?? 1;
