import { seeded } from '../store/random.js';
import type { Kept } from './corpus.js';
import type { Coverage } from './coverage.js';
import { type Finding, judge, SLOW_MS } from './judge.js';
import { mutate } from './mutate.js';
import { pick, type Target } from './target.js';

export interface Found extends Finding {
  readonly input: Uint8Array;
}

export interface FuzzOptions {
  readonly target: Target;
  readonly seed: number;
  readonly seconds: number;
  readonly corpus: readonly Kept[];
  /** Left out: mutations of the corpus and the grammar alone. */
  readonly coverage?: Coverage;
  /** What counts as slow; `SLOW_MS` unless something else runs on the same cores all the time. */
  readonly slowMs?: number;
  /** Called before each input runs, so that somebody else can tell what never came to an end. */
  readonly onInput?: (input: Uint8Array) => void;
}

export interface FuzzResult {
  readonly inputs: number;
  readonly findings: readonly Found[];
  /** Inputs that ran code which none before them had. */
  readonly reached: readonly Uint8Array[];
}

/** Inputs of a batch at the most: of one that runs new code each look at the coverage halves what it may be, and costs as much as some inputs. */
const BATCH = 64;
/** More of one run are the same fault again. */
const MOST_FINDINGS = 10;

/**
 * Runs the corpus, then inputs from the grammar and mutants, in batches. A batch that ran new code is run again one by one, and whatever
 * of it does so is mutated from then on.
 */
export async function fuzz(options: FuzzOptions): Promise<FuzzResult> {
  const { target, coverage, seconds } = options;
  const random = seeded(options.seed);
  const pool: Uint8Array[] = options.corpus.map(({ input }) => input);
  const reached: Uint8Array[] = [];
  const findings: Found[] = [];
  let inputs = 0;
  const run = async (input: Uint8Array): Promise<void> => {
    options.onInput?.(input);
    inputs++;
    const finding = await judgedTwice(target, input, options);
    if (finding !== null) findings.push({ ...finding, input });
  };
  for (const input of pool) await run(input);
  coverage?.fresh();
  const endsAt = performance.now() + seconds * 1000;
  // While much is new, a small batch has less to be looked for.
  let size = coverage === undefined ? BATCH : 1;
  while (performance.now() < endsAt && findings.length < MOST_FINDINGS) {
    const batch = Array.from({ length: size }, () => {
      if (pool.length === 0 || random(4) === 0) return target.generate(random).subarray(0, target.maxBytes);
      return mutate(pick(random, pool), random, target, pick(random, pool));
    });
    for (const input of batch) if (performance.now() < endsAt) await run(input);
    if (coverage === undefined) continue;
    const isNew = coverage.fresh(size === 1) > 0;
    size = isNew ? Math.max(1, size >> 1) : Math.min(BATCH, size * 2);
    if (!isNew) continue;
    const fresh = batch.length === 1 ? batch : await reaching(target, batch, coverage, true);
    pool.push(...fresh);
    reached.push(...fresh);
  }
  return { inputs, findings, reached };
}

/** Slow while its branches are counted is not yet slow. */
async function judgedTwice(
  target: Target,
  input: Uint8Array,
  { coverage, slowMs = SLOW_MS }: FuzzOptions,
): Promise<Finding | null> {
  const finding = await judge(target, input, slowMs);
  if (finding?.kind !== 'slow' || coverage === undefined) return finding;
  coverage.pause();
  const again = await judge(target, input, slowMs);
  coverage.resume();
  return again;
}

/**
 * Those of a batch that run something which nothing before them did: halves of it, and halves of those, that do.
 * @param isKnown that the batch does: only its halves are run then. Each run and each look at the coverage costs as much as an input
 */
async function reaching(
  target: Target,
  batch: readonly Uint8Array[],
  coverage: Coverage,
  isKnown: boolean,
): Promise<Uint8Array[]> {
  const alone = batch.length === 1;
  if (!isKnown || alone) {
    for (const input of batch) await judge(target, input);
    if (coverage.fresh(alone) === 0) return [];
  }
  if (alone) return [...batch];
  const half = batch.length >> 1;
  const first = await reaching(target, batch.slice(0, half), coverage, false);
  return [...first, ...(await reaching(target, batch.slice(half), coverage, first.length === 0))];
}
