import assert from 'node:assert/strict';
import type { Command, CommandType, Settled } from '@berth/server/domain/commands';
import { emptyState, type Now, type State } from '@berth/server/domain/state';
import { Engine } from '@berth/server/engine/engine';
import { recover } from '@berth/server/engine/recover';
import type { FileSystem } from '@berth/server/store/files';
import { Journal } from '@berth/server/store/journal';
import { type MemoryDisk, MemoryStore } from '@berth/server/store/memory-store';
import type { StateStore } from '@berth/server/store/state-store';

export const FOLDER = '/data';
/** So small that a few records fill a segment. */
const SEGMENT_BYTES = 2_000;
const LEASE_SECONDS = 120;

/** What survives a process: its clock and its ids go on, and so do the stored rows. */
export interface Outside {
  readonly rows: MemoryDisk;
  now: Now;
  ids: number;
}

/** The process ended of an error, as it must (DESIGN 2): nobody gets an answer any more. */
export class Ended extends Error {
  override readonly name = 'Ended';

  constructor(cause: unknown) {
    super(`It ended: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

/** One process of the server on any disk: real recovery, engine, domain and journal, and a clock that stands. */
export class OneProcess {
  readonly engine: Engine;
  readonly #death: Promise<never>;

  /** As `berthd init`: the organisation is the first record. Rejects with what the disk says. */
  static async found(files: FileSystem, outside: Outside): Promise<OneProcess> {
    await files.makeFolder(FOLDER);
    const journal = await Journal.open({ files, folder: FOLDER, onRecord: () => {} });
    // Nothing is stored: `berthd init` leaves that to the first start.
    return new OneProcess(emptyState(), journal, null, outside);
  }

  /** As `berthd serve`. Rejects as that does. */
  static async start(files: FileSystem, outside: Outside): Promise<OneProcess> {
    const store = await MemoryStore.open(outside.rows);
    const { state, journal } = await recover({
      ...{ files, folder: FOLDER, store, segmentBytes: SEGMENT_BYTES, monoMs: outside.now.monoMs },
      onCut: () => {},
      onRebuilt: (reason) => assert.fail(`the state was rebuilt: ${reason}`),
    });
    return new OneProcess(state, journal, store, outside);
  }

  private constructor(
    readonly state: State,
    readonly journal: Journal,
    readonly store: StateStore | null,
    outside: Outside,
  ) {
    let end: (error: unknown) => void = () => {};
    this.#death = new Promise((_, reject) => {
      end = (error) => reject(new Ended(error));
    });
    this.#death.catch(() => {});
    this.engine = new Engine({
      ...{ state, journal, clock: { now: () => outside.now }, leaseSeconds: LEASE_SECONDS },
      newId: (letter) => `${letter}${++outside.ids}`,
      diskLow: () => false,
      onCommitted: ({ position, rows }) => store?.put(position, rows),
      onFatal: (error) => end(error),
    });
  }

  /** Rejects with Ended when the process dies before it answers. */
  submit<T extends CommandType>(command: Command<T>): Promise<Settled<T>> {
    return Promise.race([this.engine.submit(command), this.#death]);
  }

  /** As SIGTERM; rejects when the disk fails it. */
  async stop(): Promise<void> {
    await this.engine.stop();
    await this.store?.flush();
    await this.journal.close();
    await this.store?.close();
  }
}
