import type { Command, CommandType, Settled } from '../domain/commands.js';
import type { State } from '../domain/state.js';

export interface BulkWorkerOptions {
  /** Read-only: which jobs are not done. */
  readonly state: State;
  readonly submit: <T extends CommandType>(command: Command<T>) => Promise<Settled<T>>;
  /** A write failed, or a bug: the process must stop. */
  readonly onFatal: (error: unknown) => void;
}

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
    await this.#running;
  }

  async #run(): Promise<void> {
    const { state, submit } = this.#options;
    for (
      let [id] = state.derived.jobsRunning;
      id !== undefined && !this.#stopped;
      [id] = state.derived.jobsRunning
    ) {
      const { next, rows } = state.tables.job.get(id)!;
      const until = Math.min(rows, next + ROWS_AT_ONCE);
      const job = id;
      const indexes = Array.from({ length: until - next }, (_, at) => next + at);
      // In one turn, so in one commit; each is decided on what those before it have changed.
      await Promise.all(indexes.map((index) => submit({ type: 'decideRow', job, index })));
    }
  }
}
