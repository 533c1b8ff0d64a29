import { existsSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { askedFor, numberOf, SEEDS, words } from '../asked.js';
import { keep } from './corpus.js';
import type { Found, FuzzResult } from './fuzzer.js';
import { judge } from './judge.js';
import { root } from './root.js';
import { targetCalled, targetNames } from './targets.js';
import { HEAD_BYTES, type WorkerData } from './worker.js';

const help = `npm run fuzz -- [--target NAME]… [--seconds N] [--seed S] [--keep N] [--json]
npm run fuzz -- --target NAME --replay FILE

Inputs made by grammars and by mutation, guided by the code that they reach. A finding is a crash, a hang, or more than 10 ms for one input; it is
kept in test/fuzz/corpus and printed with its replay.

  --target NAME    ${targetNames.join(', ')} (all); may be given again
  --seconds N      for each target (30)
  --seed S         the same inputs again (random, and printed)
  --keep N         keeps so many of the inputs that reached something new (0)
  --replay FILE    this one input, once
  --json           nothing but the last line
  --help

The last line is JSON: { targets, inputs, crashes, slow }. Exit code 1 with a finding, 2 when the arguments are wrong.`;

const values = askedFor(help, () => {
  const { values: given } = parseArgs({
    args: words(),
    options: {
      target: { type: 'string', multiple: true },
      seconds: { type: 'string', default: '30' },
      seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 32)) },
      /** One file, once. */
      replay: { type: 'string' },
      /** Keeps this many of the inputs that reached something new. */
      keep: { type: 'string', default: '0' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const { target, replay: file } = given;
  const unknown = target?.find((name) => !targetNames.includes(name));
  if (unknown !== undefined) throw new Error(`--target ${unknown}: there are ${targetNames.join(', ')}.`);
  if (file !== undefined && target?.length !== 1)
    throw new Error('--replay FILE: say with --target for which one it is.');
  if (file !== undefined && !existsSync(file)) throw new Error(`--replay ${file}: there is no such file.`);
  return {
    ...given,
    seconds: numberOf('seconds', given.seconds, { least: 0.1, most: 86_400, fraction: true }),
    seed: numberOf('seed', given.seed, SEEDS),
    keep: numberOf('keep', given.keep, { least: 0, most: 10_000 }),
  };
});

/** The longest input of any target. */
const BODY_BYTES = 1 << 20;
/** A single input that has not come to an end by then never will. */
const HANG_MS = 30_000;

type Done = FuzzResult & { readonly covered: number };

const names = values.target ?? targetNames;
const totals = { targets: 0, inputs: 0, crashes: 0, slow: 0 };
for (const name of names) {
  if (values.replay !== undefined) await replay(name, values.replay);
  else await fuzzed(name);
}
console.log(JSON.stringify(totals));
process.exitCode = totals.crashes + totals.slow > 0 ? 1 : 0;

async function replay(name: string, file: string): Promise<void> {
  const input = readFileSync(file);
  const finding = await judge(await targetCalled(name), input);
  count(name, { inputs: 1, findings: finding === null ? [] : [{ ...finding, input }] }, false);
}

async function fuzzed(name: string): Promise<void> {
  const { seed, seconds } = values;
  const done = await inWorker({
    target: name,
    seed,
    seconds,
    shared: new SharedArrayBuffer(HEAD_BYTES + BODY_BYTES),
  });
  for (const input of done.reached.slice(0, values.keep)) keep(name, 'new', input);
  count(name, done, true);
  if (!values.json) {
    const { inputs, findings, reached, covered } = done;
    console.log(
      `${name}: seed ${seed}, ${inputs} inputs, ${reached.length} reached new code (${covered} characters in all), ${findings.length} findings`,
    );
  }
}

/** In a thread of its own, so that an input that never ends, or takes all memory, is known all the same. */
function inWorker(data: WorkerData): Promise<Done> {
  const head = new Int32Array(data.shared, 0, 2);
  const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData: data });
  let [before, sinceMs] = [-1, performance.now()];
  return new Promise((resolve) => {
    const stopped = (message: string): void => {
      const input = new Uint8Array(data.shared, HEAD_BYTES, Atomics.load(head, 1)).slice();
      const finding: Found = { kind: 'crash', message, input };
      resolve({ inputs: Atomics.load(head, 0), findings: [finding], reached: [], covered: 0 });
    };
    const watch = setInterval(() => {
      const inputs = Atomics.load(head, 0);
      if (inputs !== before) [before, sinceMs] = [inputs, performance.now()];
      else if (inputs > 0 && performance.now() - sinceMs > HANG_MS) {
        stopped(`it did not come to an end within ${HANG_MS} ms`);
        void worker.terminate();
      }
    }, 1_000);
    worker.on('message', (done: Done) => resolve(done));
    worker.on('error', (error) => stopped(String(error)));
    worker.on('exit', () => clearInterval(watch));
  });
}

function count(name: string, { inputs, findings }: Pick<Done, 'inputs' | 'findings'>, save: boolean): void {
  totals.targets++;
  totals.inputs += inputs;
  for (const { kind, message, input } of findings) {
    if (kind === 'slow') totals.slow++;
    else totals.crashes++;
    const file = save ? keep(name, kind, input) : values.replay!;
    const replay = `npm run fuzz -- --target ${name} --replay ${relative(root, file)}`;
    console.error(`${name}: ${kind}: ${message}\n  kept; ${replay}`);
  }
}
