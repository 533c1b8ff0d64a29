import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { root } from '../../system/paths.js';
import type { Random } from '../../system/random.js';
import type { Flip, Job, Verdict } from './flip-worker.js';

export type Outcome = Verdict['outcome'] | 'true state, after LevelDB aborted' | 'hangs';

/** File kind -> outcome -> how often. */
export type Table = Record<string, Partial<Record<Outcome, number>>>;

export interface FlipReport {
  flips: number;
  /** Processes that LevelDB ended. */
  aborts: number;
  readonly table: Table;
  /** What must not be. */
  readonly silent: string[];
  /** Where the server refused without saying which file, or which record. */
  readonly unnamed: string[];
}

export function emptyReport(): FlipReport {
  return { flips: 0, aborts: 0, table: {}, silent: [], unnamed: [] };
}

/** What all files of one purpose are called in the table. */
export function kindOf(file: string): string {
  if (/^journal\/\d+\.log$/.test(file)) return 'journal/N.log';
  return file.replaceAll(/\d{6}/g, 'N').replace(/\.old$/, '');
}

/** Every kind of file gets as many flips, whatever its size; within it bits are drawn at random. */
export function drawFlips(bases: readonly string[], count: number, random: Random): Flip[] {
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
  return Array.from({ length: count }, (_, index) => {
    const { base, file, size } = random.pick(all[index % all.length]!);
    return { base, file, at: random.between(0, size - 1), bit: random.between(0, 7) };
  });
}

/** Runs all in a few workers, and adds to the report. */
export async function flipAll(
  flips: readonly Flip[],
  workers: number,
  scratch: string,
  report: FlipReport,
  onFlip: (report: FlipReport) => void = () => undefined,
): Promise<void> {
  const left = [...flips];
  const work = async (number: number): Promise<void> => {
    const worker = new FlipWorker(join(scratch, `work-${number}`));
    try {
      for (let flip = left.shift(); flip !== undefined; flip = left.shift()) {
        const whole = left.length % WHOLE_EVERY === 0;
        const judged = await worker.judge(flip, whole);
        // A machine that stood still for a minute is no server that hangs: that one hangs again.
        note(report, flip, judged.outcome === 'hangs' ? await worker.judge(flip, whole) : judged);
        onFlip(report);
      }
    } finally {
      await worker.close();
    }
  };
  await Promise.all(Array.from({ length: workers }, (_, number) => work(number)));
}

interface Judged {
  readonly outcome: Outcome;
  readonly detail: string;
  readonly aborts?: number;
}

export function note(report: FlipReport, { file, at, bit, base }: Flip, judged: Judged): void {
  const { outcome, detail, aborts = 0 } = judged;
  const row = report.table[kindOf(file)] ?? {};
  report.table[kindOf(file)] = row;
  row[outcome] = (row[outcome] ?? 0) + 1;
  report.flips += 1;
  report.aborts += aborts;
  const where = `${base.split('/').at(-1)}/${file}, byte ${at}, bit ${bit}: ${detail}`;
  if (outcome === 'silent' || outcome === 'hangs') report.silent.push(`${outcome}: ${where}`);
  if (outcome === 'refused without a name') report.unnamed.push(where);
}

/** The others run the steps of a start that read the damaged file. */
const WHOLE_EVERY = 10;
/** So often a server that aborts is started again: decision 0008 says that the third start rebuilds. */
const STARTS = 4;
/** A start takes some 50 ms; a machine may be busy with other things. */
const HANGS_MS = 60_000;

class FlipWorker {
  readonly #folder: string;
  #child: ChildProcess | null = null;
  #lines: Interface | null = null;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async judge(flip: Flip, whole: boolean): Promise<Judged> {
    for (let aborts = 0; aborts < STARTS; aborts++) {
      const answer = await this.#ask({ ...flip, folder: this.#folder, whole, again: aborts > 0 });
      if (answer === 'hangs') return { outcome: 'hangs', detail: '', aborts };
      if (answer === 'aborted') continue;
      const isTrue = aborts > 0 && answer.outcome.startsWith('true state');
      return { ...answer, outcome: isTrue ? 'true state, after LevelDB aborted' : answer.outcome, aborts };
    }
    return { outcome: 'silent', detail: `it aborts at each of ${STARTS} starts`, aborts: STARTS };
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
