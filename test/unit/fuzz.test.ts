import { describe, expect, test } from 'vitest';
import { corpusOf } from '../fuzz/corpus.js';
import { fuzz } from '../fuzz/fuzzer.js';
import { judge } from '../fuzz/judge.js';
import type { Target } from '../fuzz/target.js';
import { targetCalled, targetNames } from '../fuzz/targets.js';
import { runSeed } from '../store/random.js';

// What the fuzzer once found stays mended, and a little is tried anew. `npm run fuzz` tries more.

const FRESH_SECONDS = 0.5;

describe.each(targetNames)('%s', (name) => {
  test('bears its corpus, and a few new inputs', async () => {
    const target = await targetCalled(name);
    const corpus = corpusOf(name);
    expect(corpus.length).toBeGreaterThan(0);
    const seed = runSeed();
    const { inputs, findings } = await fuzz({ target, seed, seconds: FRESH_SECONDS, corpus });
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
  words: ['7', '8'],
  covers: [],
  generate: (random) => Buffer.from(String(random(50))),
  run: (input) => {
    const said = String(Buffer.from(input));
    if (said === '7') throw new TypeError('seven');
    const endsAt = process.cpuUsage().user + 30_000;
    while (said === '8' && process.cpuUsage().user < endsAt);
  },
};

test('a crash and a slow input are found, with the input that shows them', async () => {
  const { findings } = await fuzz({
    target: bad,
    seed: 1,
    seconds: 0.5,
    corpus: [{ name: 'seven', input: Buffer.from('7') }],
  });
  expect(findings[0]).toMatchObject({ kind: 'crash', message: expect.stringContaining('seven') });
  expect(await judge(bad, Buffer.from('8'))).toMatchObject({ kind: 'slow' });
  expect(await judge(bad, Buffer.from('9'))).toBeNull();
});
