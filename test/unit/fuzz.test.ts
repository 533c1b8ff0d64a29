import { describe, expect, test } from 'vitest';
import { corpusOf } from '../fuzz/corpus.js';
import { fuzz } from '../fuzz/fuzzer.js';
import { judge } from '../fuzz/judge.js';
import type { Target } from '../fuzz/target.js';
import { targetCalled, targetNames } from '../fuzz/targets.js';
import { runSeed } from '../store/random.js';

// What the fuzzer once found stays mended, and a little is tried anew. `npm run fuzz` tries more.

const FRESH_SECONDS = 0.5;
/** Other tests run on the same cores, and their caches are cold: `npm run fuzz` measures ten milliseconds. */
const SLOW_MS = 100;
const TIMEOUT_MS = 120_000;

describe.each(targetNames)('%s', (name) => {
  test('bears its corpus, and a few new inputs', { timeout: TIMEOUT_MS }, async () => {
    const target = await targetCalled(name);
    const corpus = corpusOf(name);
    expect(corpus.length).toBeGreaterThan(0);
    const seed = runSeed();
    const { inputs, findings } = await fuzz({
      target,
      seed,
      seconds: FRESH_SECONDS,
      slowMs: SLOW_MS,
      corpus,
    });
    const told = findings.map(
      ({ kind, message, input }) => `${kind}: ${message}: ${JSON.stringify(String(input))}`,
    );
    expect(told, `BERTH_SEED=${seed}`).toEqual([]);
    expect(inputs).toBeGreaterThan(corpus.length);
  });
});

/** Reads a number, badly. */
const bad: Target = {
  name: 'bad',
  maxBytes: 64,
  words: ['9'],
  covers: [],
  generate: () => Buffer.from('9'),
  run: (input) => {
    const said = String(Buffer.from(input));
    if (said === '7') throw new TypeError('seven');
    const endsAt = process.cpuUsage().user + 30_000;
    while (said === '8' && process.cpuUsage().user < endsAt);
  },
};

test('a crash and a slow input are found, with the input that shows them', {
  timeout: TIMEOUT_MS,
}, async () => {
  const { findings } = await fuzz({
    target: bad,
    seed: 1,
    seconds: 0,
    corpus: [{ name: 'seven', input: Buffer.from('7') }],
  });
  expect(findings[0]).toMatchObject({ kind: 'crash', message: expect.stringContaining('seven') });
  expect(await judge(bad, Buffer.from('8'))).toMatchObject({ kind: 'slow' });
  expect(await judge(bad, Buffer.from('9'))).toBeNull();
});
