import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { root } from '../../../fuzz/root.js';

// `npm run test:model -- --runs N [--seed S]`: the model test with more histories than `npm test` has time for.

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: process.env.MODEL_RUNS ?? '5000' },
    seed: { type: 'string', default: process.env.MODEL_SEED ?? String(Math.floor(Math.random() * 2 ** 31)) },
  },
});

console.log(`${values.runs} histories for each share rule, seed ${values.seed}`);
const vitest = join(root, 'node_modules/vitest/vitest.mjs');
const { status } = spawnSync(
  process.execPath,
  [vitest, 'run', '--project', 'unit', 'test/unit/domain/model'],
  {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, MODEL_RUNS: values.runs, MODEL_SEED: values.seed },
  },
);
process.exitCode = status ?? 1;
