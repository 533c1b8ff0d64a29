import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { atEnd } from '../system/at-end.js';
import { Copy } from './copy.js';
import type { Hunt } from './hunt.js';
import type { Mutant } from './mutant.js';

export interface Outcome {
  readonly mutant: Mutant;
  /** The first seed that shows it; null: missed. */
  readonly seed: number | null;
  readonly seconds: number;
  /** What was found, or why nothing was. */
  readonly text: string;
}

export interface Control {
  /** The seed at which the code as it is showed a violation; null as it should be. */
  readonly seed: number | null;
  readonly seeds: number;
  readonly text: string;
}

export interface RunOptions {
  readonly seeds: number;
  readonly jobs: number;
  /** Called for each as soon as it is known. */
  tell(outcome: Outcome): void;
}

/** Every mutant in a copy of the built workspace, `jobs` at a time. @returns their outcomes in the order of the mutants */
export async function runAll(
  root: string,
  mutants: readonly Mutant[],
  { seeds, jobs, tell }: RunOptions,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const waiting = mutants.entries();
  const work = async (): Promise<void> => {
    const copy = new Copy(root);
    try {
      for (const [at, mutant] of waiting) {
        const outcome = await runOne(copy, mutant, seeds);
        outcomes[at] = outcome;
        tell(outcome);
      }
    } finally {
      copy.remove();
    }
  };
  await Promise.all(Array.from({ length: Math.min(jobs, mutants.length) }, work));
  return outcomes;
}

/** The code as it is, in a copy too: whatever it shows is no mutant's doing. */
export async function runControl(root: string, seeds: number, restores = false): Promise<Control> {
  const copy = new Copy(root);
  try {
    const { seed, violations, seeds: looked } = await hunt(copy, seeds, restores);
    const how = restores ? ' with restores' : '';
    const text =
      seed === null
        ? `the code as it is: nothing in ${looked} seeds${how}`
        : `the code as it is, seed ${seed}${how}: ${violations.join(' | ')}`;
    return { seed, seeds: looked, text };
  } finally {
    copy.remove();
  }
}

async function runOne(copy: Copy, mutant: Mutant, seeds: number): Promise<Outcome> {
  const started = performance.now();
  const found = await copy
    .with(mutant, () => hunt(copy, seeds, mutant.restores))
    .catch((error: Error) => error);
  const seconds = (performance.now() - started) / 1000;
  if (found instanceof Error)
    return { mutant, seed: null, seconds, text: `the hunt broke: ${found.message.slice(0, 1000)}` };
  const text =
    found.seed === null ? `nothing in ${found.seeds} seeds` : (found.violations[0] ?? '').slice(0, 160);
  return { mutant, seed: found.seed, seconds, text: text.replaceAll('\n', ' ') };
}

/** A process of its own: the simulation puts the global timers onto simulated time. */
async function hunt(copy: Copy, seeds: number, restores = false): Promise<Hunt> {
  const main = join(copy.folder, 'test/dist/mutants/hunt.js');
  const running = promisify(execFile)(
    process.execPath,
    [main, '--seeds', String(seeds), ...(restores ? ['--restores'] : [])],
    {
      maxBuffer: 64e6,
    },
  );
  const ended = atEnd(() => running.child.kill('SIGKILL'));
  const { stdout } = await running.finally(ended);
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Hunt;
}
