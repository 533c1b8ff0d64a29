import type { BulkJob } from '../domain/bulk.js';
import type { By, Command, CommandType, Settled } from '../domain/commands.js';
import type { State } from '../domain/state.js';

export interface BulkWorkerOptions {
  /** Read-only: which jobs are not done. */
  readonly state: State;
  readonly submit: <T extends CommandType>(command: Command<T>) => Promise<Settled<T>>;
  /** Calls back once, later. @returns a function that calls it off */
  readonly after: (ms: number, then: () => void) => () => void;
  /** A write failed, or a bug: the process must stop. */
  readonly onFatal: (error: unknown) => void;
}

/** The disk or the clock does not let a row be decided now: looked at again after this, ms. */
const REST_MS = 5_000;

/** Rows that share a commit. Each takes some tens of microseconds, and renewals must not wait for hundreds of them. */
const ROWS_AT_ONCE = 50;

/**
 * Has the rows of bulk jobs decided, one job after the other. It keeps nothing: where a job is, and that a row was decided, is in the commit of
 * that row, so that a job goes on after a crash exactly where its last commit left it.
 */
export class BulkWorker {
  readonly #options: BulkWorkerOptions;
  #running: Promise<void> | null = null;
  #stopped = false;
  #callOff: () => void = () => {};

  constructor(options: BulkWorkerOptions) {
    this.#options = options;
  }

  /** There may be a job to do. */
  wake(): void {
    if (this.#stopped) return;
    this.#running ??= this.#run()
      .catch((error) => this.#options.onFatal(error))
      .finally(() => {
        this.#running = null;
      });
  }

  /** After the rows that are being decided. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#callOff();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { state, submit, after } = this.#options;
    this.#callOff();
    for (let job = firstOf(state); job !== undefined && !this.#stopped; job = firstOf(state)) {
      const { id, next, rows } = job;
      const by = askerOf(job);
      // At least one: a job without rows would be the first one for ever, in one turn.
      const count = Math.max(1, Math.min(rows - next, ROWS_AT_ONCE));
      const indexes = Array.from({ length: count }, (_, at) => next + at);
      // In one turn, so in one commit; each is decided on what those before it have changed.
      const decided = await Promise.all(
        indexes.map((index) => submit({ type: 'decideRow', job: id, index, by })),
      );
      if (decided.every(({ ok }) => ok)) continue;
      this.#callOff = after(REST_MS, () => this.wake());
      return;
    }
  }
}

/** Each row is an act of whoever asked for the job, from where they did. */
function askerOf({ by: email, device, from }: BulkJob): By {
  return { email, device, ...(from === undefined ? {} : { from }) };
}

/** The one that was asked for first, also after a restart. */
function firstOf({ tables, derived }: State): BulkJob | undefined {
  return [...derived.jobsRunning]
    .map((id) => tables.job.get(id)!)
    .sort((a, b) => a.madeAtMs - b.madeAtMs || (a.id < b.id ? -1 : 1))[0];
}
