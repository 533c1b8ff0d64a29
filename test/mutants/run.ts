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
  /** The command that shows it in the shortest run; null: missed. */
  readonly replay: string | null;
  /** What that run shows, and what happened before it. */
  readonly violations: readonly string[];
  readonly before: readonly string[];
}

export interface Control {
  /** The seed at which the code as it is showed a violation; null as it should be. */
  readonly seed: number | null;
  readonly seeds: number;
  readonly text: string;
}

/** Which seeds, and how: default ones unless a replay says otherwise. */
export interface Seeds {
  readonly from?: number | undefined;
  readonly seeds: number;
  readonly hours?: number | undefined;
  readonly clients?: number | undefined;
}

export interface RunOptions extends Seeds {
  readonly jobs: number;
  /** Looks for a shorter run of what it has found. */
  readonly shorten: boolean;
  /** Called for each as soon as it is known. */
  tell(outcome: Outcome): void;
}

/** Every mutant in a copy of the built workspace, `jobs` at a time. @returns their outcomes in the order of the mutants */
export async function runAll(
  root: string,
  mutants: readonly Mutant[],
  { jobs, shorten, tell, ...seeds }: RunOptions,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const waiting = mutants.entries();
  const work = async (): Promise<void> => {
    const copy = new Copy(root);
    try {
      for (const [at, mutant] of waiting) {
        const outcome = await runOne(copy, mutant, seeds, shorten);
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
    const { seed, violations, seeds: looked } = await hunt(copy, { seeds }, { restores });
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

async function runOne(copy: Copy, mutant: Mutant, seeds: Seeds, shorten: boolean): Promise<Outcome> {
  const found = await copy
    .with(mutant, () => hunt(copy, seeds, { restores: mutant.restores, shorten }))
    .catch((error: Error) => error);
  const nothing = { mutant, seed: null, replay: null, violations: [], before: [] };
  if (found instanceof Error)
    return { ...nothing, seconds: 0, text: `the hunt broke: ${found.message.slice(0, 1000)}` };
  const { seed, seconds, violations, before } = found;
  if (seed === null) return { ...nothing, seconds, text: `nothing in ${found.seeds} seeds` };
  const text = (violations[0] ?? '').slice(0, 160).replaceAll('\n', ' ');
  const replay = commandOf(mutant, seed, found.replay ?? {});
  return { mutant, seed, seconds, text, replay, violations, before };
}

function commandOf({ name }: Mutant, seed: number, { hours, clients }: Omit<Seeds, 'seeds'>): string {
  const words = [`--only ${name}`, `--seed ${seed}`];
  if (hours !== undefined) words.push(`--hours ${hours}`);
  if (clients !== undefined) words.push(`--clients ${clients}`);
  return `npm run simulate:mutants -- ${words.join(' ')}`;
}

/** A process of its own: the simulation puts the global timers onto simulated time. */
async function hunt(
  copy: Copy,
  { from = 1, seeds, hours, clients }: Seeds,
  { restores = false, shorten = false },
): Promise<Hunt> {
  const main = join(copy.folder, 'test/dist/mutants/hunt.js');
  const words = ['--from', String(from), '--seeds', String(seeds)];
  if (hours !== undefined) words.push('--hours', String(hours));
  if (clients !== undefined) words.push('--clients', String(clients));
  if (restores) words.push('--restores');
  if (shorten) words.push('--shorten');
  const running = promisify(execFile)(process.execPath, [main, ...words], { maxBuffer: 64e6 });
  const ended = atEnd(() => running.child.kill('SIGKILL'));
  const { stdout } = await running.finally(ended);
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Hunt;
}
