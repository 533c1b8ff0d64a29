import { expect, test } from 'vitest';
import { ed25519Cases } from '../fuzz/ed25519-cases.js';
import { products, pythonVerdicts } from '../fuzz/ed25519-verifiers.js';
import { runSeed } from '../store/random.js';
import { whyNoPython } from '../system/python.js';

// Many more than the vectors, and others each time: `npm run fuzz:ed25519 -- --seed N` for one seed, with a table.

test('every implementation gives the verdict of PROTOCOL 4.1 on edge cases', {
  timeout: 120_000,
}, async () => {
  const seed = runSeed();
  const cases = await ed25519Cases(100, seed);
  const names = (given: readonly boolean[]): string[] =>
    cases.filter((row, i) => given[i] !== row.valid).map(({ name }) => name);
  for (const [implementation, verify] of Object.entries(products)) {
    const given = cases.map(({ publicKey, message, signature }) => verify(publicKey, message, signature));
    expect(names(given), `${implementation}, BERTH_SEED=${seed}`).toEqual([]);
  }
  if (whyNoPython() === null)
    expect(names(pythonVerdicts(cases)), `berth.py, BERTH_SEED=${seed}`).toEqual([]);
  // A list without valid ones would be passed by whoever refuses everything.
  expect(cases.filter(({ valid }) => valid).length).toBeGreaterThan(3);
});
