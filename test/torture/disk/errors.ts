import { FaultyFiles, type Survivors } from '../../store/faulty-files.js';
import { seeded } from '../../store/random.js';
import { FailingFiles, type Failure, type Operation } from './failing-files.js';
import { History } from './history.js';
import { Ended, FOLDER } from './one-process.js';
import { judgeReopened } from './reopened.js';

export interface ErrorReport {
  /** File operations of the history when nothing fails. */
  operations: number;
  /** Histories with one failure, each reopened and judged. */
  runs: number;
  /** How the process took it: it stopped, it did not start, or it went on as if nothing had been. */
  readonly ends: Record<End, number>;
  /** Commands that had been answered, each looked for after reopening. */
  acknowledged: number;
  /** What must not be. */
  readonly found: string[];
}

type End = 'stopped' | 'did not start' | 'unnoticed';

/** What is left when the process alone ended, and when the computer did. */
const survivors: readonly ('NONE' | 'ALL' | 'TORN')[] = ['ALL', 'NONE', 'TORN'];

/**
 * One history, and each of its file operations fails, in every way there is, once and for good; then the disk is sound again, the real code
 * opens it, and everything that was acknowledged must be there.
 * @param every only each n-th operation, beginning with the one that the seed says
 */
export async function failEverywhere(options: {
  readonly seed: number;
  readonly every?: number;
}): Promise<ErrorReport> {
  const { seed, every = 1 } = options;
  const trace = await traced();
  const report: ErrorReport = {
    ...{ operations: trace.length, runs: 0, acknowledged: 0, found: [] },
    ends: { stopped: 0, 'did not start': 0, unnoticed: 0 },
  };
  for (let index = seed % every; index < trace.length; index += every) {
    for (const failure of failuresAt(index + 1, trace[index]!))
      for (const left of survivors) await oneFailure(report, failure, left, seed + report.runs);
  }
  return report;
}

/** The operations of the history on a sound disk. A history that does not come to its end is a mistake in it. */
async function traced(): Promise<readonly Operation[]> {
  const files = new FailingFiles(await newDisk(), null);
  await new History(files).run();
  return files.trace;
}

async function newDisk(): Promise<FaultyFiles> {
  const disk = new FaultyFiles();
  await disk.makeFolder(FOLDER);
  return disk;
}

function failuresAt(at: number, { call, effect }: Operation): Failure[] {
  const errnos = effect === 'grows' ? (['EIO', 'ENOSPC'] as const) : (['EIO'] as const);
  const parts = (['before', ...(call === 'write' ? (['half'] as const) : []), 'after'] as const).filter(
    (done) => done !== 'after' || effect !== 'reads',
  );
  return errnos.flatMap((errno) =>
    parts.flatMap((done) => [false, true].map((lasts) => ({ at, errno, done, lasts }))),
  );
}

async function oneFailure(
  report: ErrorReport,
  failure: Failure,
  left: (typeof survivors)[number],
  seed: number,
): Promise<void> {
  const disk = await newDisk();
  const files = new FailingFiles(disk, failure);
  const history = new History(files);
  const error = await history.run().then(
    () => null,
    (reason: unknown) => reason,
  );
  const where = `${files.failed} (operation ${failure.at} ${JSON.stringify(failure)}, then ${left})`;
  const end = error === null ? 'unnoticed' : error instanceof Ended ? 'stopped' : 'did not start';
  report.runs += 1;
  report.ends[end] += 1;
  const silent = await stillWorks(history, files);
  if (error === null) silent.push('the process went on as if nothing had been');
  const names = nameless(error);
  const survived: Survivors = left === 'TORN' ? seeded(seed) : left;
  disk.powerCut(survived);
  const lost = await judgeReopened(history, disk);
  report.acknowledged += history.acknowledged.length;
  report.found.push(...[...silent, ...names, ...lost].map((text) => `${where}: ${text}`));
}

/** Fail-stop: after a failed write nothing more is written and nobody is answered (DESIGN 2). */
async function stillWorks({ process }: History, files: FailingFiles): Promise<string[]> {
  const { count, failed } = files;
  if (process === null || failed === null) return [];
  const answered = await Promise.race([
    process.engine.read(() => true),
    new Promise<false>((resolve) => {
      setImmediate(resolve, false);
    }),
  ]);
  const wrong = answered ? ['it went on answering'] : [];
  return files.count > count ? [...wrong, 'it went on writing'] : wrong;
}

/** A person must learn what the disk did, and where (STYLE 11). */
function nameless(error: unknown): string[] {
  if (error === null) return [];
  const cause = error instanceof Ended ? error.cause : error;
  if (!(cause instanceof Error) || !('code' in cause)) return [`it ended without a code: ${String(cause)}`];
  return cause.message.includes(FOLDER) ? [] : [`it ended without a place: ${cause.message}`];
}
