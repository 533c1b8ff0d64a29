import { parentPort, workerData } from 'node:worker_threads';
import { corpusOf } from './corpus.js';
import { Coverage } from './coverage.js';
import { fuzz } from './fuzzer.js';
import { targetCalled } from './targets.js';

/** What main.ts gives; `shared`: two integers (inputs so far, bytes of the present one) and then the present input. */
export interface WorkerData {
  readonly target: string;
  readonly seed: number;
  readonly seconds: number;
  readonly shared: SharedArrayBuffer;
}

export const HEAD_BYTES = 8;

if (parentPort !== null) {
  const { target: name, seed, seconds, shared } = workerData as WorkerData;
  const head = new Int32Array(shared, 0, 2);
  const body = new Uint8Array(shared, HEAD_BYTES);
  const target = await targetCalled(name);
  const coverage = new Coverage(target.covers);
  const result = await fuzz({
    target,
    seed,
    seconds,
    corpus: corpusOf(name),
    coverage,
    onInput: (input) => {
      body.set(input);
      Atomics.store(head, 1, input.length);
      Atomics.add(head, 0, 1);
    },
  });
  parentPort.postMessage({ ...result, covered: coverage.covered });
  coverage.close();
}
