import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { root } from '../../system/paths.js';
import type { Random } from '../../system/random.js';
import type { Job, Verdict } from './flip-worker.js';

export type Outcome = Verdict['outcome'] | 'rebuilt after an abort' | 'hangs';

/** File kind -> outcome -> how often. */
export type Table = Record<string, Partial<Record<Outcome, number>>>;

export interface FlipReport {
  flips: number;
  aborts: number;
  readonly table: Table;
  /** What must not be, and where the server refused without naming the file. */
  readonly violations: string[];
  readonly unnamed: string[];
}

/** What all files of one purpose are called in the table. */
export function kindOf(file: string): string {
  if (/^journal\/\d+\.log$/.test(file)) return 'journal segment';
  return file.replaceAll(/\d{6}/g, 'N').replace(/\.old$/, '');
}

/** Every kind of file gets as many flips, whatever its size; within it bits are drawn at random. */
export function drawJobs(
  bases: readonly string[],
  flips: number,
  random: Random,
): Omit<Job, 'folder' | 'again'>[] {
  const kinds = new Map<string, { base: string; file: string; size: number }[]>();
  for (const base of bases) {
    for (const entry of readdirSync(base, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      const size = entry.isFile() ? statSync(path).size : 0;
      const file = path.slice(base.length + 1);
      if (size > 0) kinds.set(kindOf(file), [...(kinds.get(kindOf(file)) ?? []), { base, file, size }]);
    }
  }
  const all = [...kinds.values()];
  return Array.from({ length: flips }, (_, index) => {
    const { base, file, size } = random.pick(all[index % all.length]!);
    return { base, file, at: random.between(0, size - 1), bit: random.between(0, 7) };
  });
}

/** Runs all jobs in a few workers. */
export async function flipAll(
  jobs: readonly Omit<Job, 'folder' | 'again'>[],
  workers: number,
  scratch: string,
  onFlip: (report: FlipReport) => void,
): Promise<FlipReport> {
  const report: FlipReport = { flips: 0, aborts: 0, table: {}, violations: [], unnamed: [] };
  const left = [...jobs];
  const work = async (number: number): Promise<void> => {
    const worker = new FlipWorker(join(scratch, `work-${number}`));
    for (let job = left.shift(); job !== undefined; job = left.shift()) {
      note(report, job, await worker.judge(job));
      onFlip(report);
    }
    await worker.close();
  };
  await Promise.all(Array.from({ length: workers }, (_, number) => work(number)));
  return report;
}

interface Judged {
  readonly outcome: Outcome;
  readonly detail: string;
  readonly aborts: number;
}

function note(
  report: FlipReport,
  { file, at, bit, base }: Omit<Job, 'folder' | 'again'>,
  judged: Judged,
): void {
  const { outcome, detail, aborts } = judged;
  const row = report.table[kindOf(file)] ?? {};
  report.table[kindOf(file)] = row;
  row[outcome] = (row[outcome] ?? 0) + 1;
  report.flips += 1;
  report.aborts += aborts;
  const where = `${base.split('/').at(-1)}/${file}, byte ${at}, bit ${bit}: ${detail}`;
  if (outcome === 'silent change' || outcome === 'hangs') report.violations.push(`${outcome}: ${where}`);
  if (outcome === 'refused, file not named') report.unnamed.push(where);
}

/** So often a server that aborts is started again: decision 0008 says that the third start rebuilds. */
const STARTS = 4;
const HANGS_MS = 30_000;

class FlipWorker {
  readonly #folder: string;
  #child: ChildProcess | null = null;
  #lines: Interface | null = null;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async judge(job: Omit<Job, 'folder' | 'again'>): Promise<Judged> {
    for (let aborts = 0; aborts < STARTS; aborts++) {
      const answer = await this.#ask({ ...job, folder: this.#folder, again: aborts > 0 });
      if (answer === 'hangs') return { outcome: 'hangs', detail: '', aborts };
      if (answer === 'aborted') continue;
      const rebuilt = aborts > 0 && answer.outcome !== 'silent change';
      return { ...answer, outcome: rebuilt ? 'rebuilt after an abort' : answer.outcome, aborts };
    }
    return { outcome: 'silent change', detail: `it aborts at each of ${STARTS} starts`, aborts: STARTS };
  }

  async close(): Promise<void> {
    const child = this.#child;
    if (child === null) return;
    child.stdin!.end();
    await once(child, 'close');
  }

  async #ask(job: Job): Promise<Verdict | 'aborted' | 'hangs'> {
    const child = this.#child ?? this.#start();
    const lines = this.#lines!;
    child.stdin!.write(`${JSON.stringify(job)}\n`);
    const stop = new AbortController();
    const { signal } = stop;
    const late = setTimeout(() => child.kill('SIGKILL'), HANGS_MS);
    try {
      const answer = once(lines, 'line', { signal }).then(([line]) => JSON.parse(line as string) as Verdict);
      const death = once(child, 'exit', { signal }).then(([code, died]) => {
        this.#child = null;
        if (died === 'SIGKILL') return 'hangs' as const;
        if (died === 'SIGABRT' || died === 'SIGSEGV') return 'aborted' as const;
        throw new Error(`A worker ended with ${code ?? died} over ${JSON.stringify(job)}`);
      });
      answer.catch(() => undefined);
      death.catch(() => undefined);
      return await Promise.race([answer, death]);
    } finally {
      clearTimeout(late);
      stop.abort();
    }
  }

  #start(): ChildProcess {
    const file = join(root, 'test/dist/torture/disk/flip-worker.js');
    const child = spawn(process.execPath, [file], { stdio: ['pipe', 'pipe', 'inherit'] });
    child.stdin!.on('error', () => undefined);
    this.#child = child;
    this.#lines = createInterface({ input: child.stdout! });
    return child;
  }
}
