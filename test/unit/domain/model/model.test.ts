import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DAY_MS, products, type Share, Site } from './site.js';
import { type Step, stepArbitraries } from './steps.js';

// Random histories of commands against a model that is one counter for each pool: the seats in somebody's hands. Every step also checks all
// invariants of the state (World.send), and each history ends with everything given back or run out: the pools must be whole again.
// MODEL_RUNS=N (or npm run test:model -- --runs N) for more, MODEL_SEED=S for the same again.

const RUNS = Number(process.env.MODEL_RUNS ?? 150);
const SEED = process.env.MODEL_SEED === undefined ? {} : { seed: Number(process.env.MODEL_SEED) };

const history = fc.commands<ReturnType<Site['counters']>, Site>(stepArbitraries, {
  maxCommands: 60,
  size: 'max',
});

function play(share: Share, steps: Iterable<fc.Command<ReturnType<Site['counters']>, Site>>): void {
  const site = new Site(share);
  fc.modelRun(() => ({ model: site.counters(), real: site }), steps);
  site.world.diskLow = false;
  site.world.ok({ type: 'acceptClock', ...site.world.admin() });
  site.world.now = { ...site.world.now, steadyWallMs: site.world.now.wallMs };
  // The longest borrow, however late its file came, and the longest hold.
  site.world.pass(3 * DAY_MS);
  for (const product of products) {
    const { used, owned, free, over } = site.world.usage(product);
    expect({ used, free, over }, `${product} in the end`).toEqual({ used: 0, free: owned, over: 0 });
  }
}

/** A failing history, one command a line, in words. */
function told(share: Share, details: fc.RunDetails<[Iterable<fc.Command<never, never>>]>): string {
  const steps = [...details.counterexample![0]] as unknown as Step[];
  try {
    // Once more: the steps were also tried in shorter histories, and tell what they did there.
    play(share, steps);
  } catch {
    // Known: `errorInstance`.
  }
  const lines = steps.map((step, i) => `${String(i + 1).padStart(4)}. ${String(step)}`);
  const why =
    details.errorInstance instanceof Error ? details.errorInstance.message : String(details.errorInstance);
  const again = `MODEL_SEED=${details.seed} MODEL_RUNS=${details.numRuns} npm run test:model`;
  return `share ${share}, after ${details.numRuns} histories, ${details.numShrinks} times made shorter:\n${lines.join('\n')}\n${why}\nAgain: ${again}`;
}

test.each(['process', 'device', 'user'] as const)(
  'no history over-issues or strands a seat (share %s)',
  { timeout: 60_000 + RUNS * 400 },
  (share) => {
    const property = fc.property(history, (steps) => play(share, steps));
    const details = fc.check(property, { numRuns: RUNS, ...SEED });
    if (details.failed) throw new Error(told(share, details as never));
  },
);
