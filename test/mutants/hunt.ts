import { parseArgs } from 'node:util';
import { simulate } from '../simulation/run.js';

// One process for one mutant: simulates seed after seed until a violation is found, and says so in a line of JSON.

export interface Hunt {
  /** The seed that shows a violation; null: none of them does. */
  readonly seed: number | null;
  /** How many were simulated. */
  readonly seeds: number;
  readonly violations: readonly string[];
}

const { values } = parseArgs({
  options: { seeds: { type: 'string', default: '1000' }, restores: { type: 'boolean' } },
});

/** A fault shows early or late: looking now and then saves the rest of the seed. */
const LOOK_EVERY_MS = 20 * 60_000;

async function hunt(seeds: number): Promise<Hunt> {
  for (let seed = 1; seed <= seeds; seed++) {
    const { violations } = await simulate({ seed, restores: values.restores, lookEveryMs: LOOK_EVERY_MS });
    if (violations.length > 0) return { seed, seeds: seed, violations: violations.slice(0, 3) };
  }
  return { seed: null, seeds, violations: [] };
}

const found = await hunt(Number(values.seeds));
// A simulation that was cut short leaves promises, not handles: end by the exit.
process.stdout.write(`${JSON.stringify(found)}\n`, () => process.exit(0));
