import { execFileSync } from 'node:child_process';
import { cpus, totalmem } from 'node:os';
import { loadAverage } from '../hostile/measure.js';
import { root } from '../system/paths.js';

/** Under what a row was measured: it is kept with the row, so that a page made of it later says the truth of it. */
export interface Circumstances {
  /** Short; with a plus where the tree had something else in it. */
  readonly commit: string;
  readonly node: string;
  readonly machine: string;
  readonly cores: number;
  /** Of the minute before. */
  readonly load: number;
  /** How long the clock ran in each run. */
  readonly seconds: number;
}

let still: Pick<Circumstances, 'commit' | 'node' | 'machine' | 'cores'> | null = null;

/** Those of now. */
export function circumstances(seconds: number): Circumstances {
  still ??= stillOnes();
  return { ...still, load: loadAverage(), seconds };
}

function stillOnes(): NonNullable<typeof still> {
  const [first] = cpus();
  const gib = Math.round(totalmem() / 2 ** 30);
  return {
    ...{ commit: commit(), node: `Node ${process.version}`, cores: cpus().length },
    machine: `${cpus().length} cores (${first?.model.trim() ?? 'unknown'}), ${gib} GiB`,
  };
}

function commit(): string {
  const git = (...args: string[]): string =>
    execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  try {
    return `${git('rev-parse', '--short', 'HEAD')}${git('status', '--porcelain', '--untracked-files=no') === '' ? '' : '+'}`;
  } catch {
    // An unpacked archive has no commits.
    return 'an unknown commit';
  }
}
