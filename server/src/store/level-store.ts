import assert from 'node:assert/strict';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  type Database,
  FolderLocked,
  forgetStarts,
  isLocked,
  isOfTheSystem,
  type Looked,
  lookAtRows,
  openOrRecreate,
  openRows,
  reasonOf,
  recreate,
} from './level-folder.js';
import { PendingRows, type RowChanges } from './pending-rows.js';
import { type Position, START } from './position.js';
import { RowSums, withRow } from './row-sums.js';
import { encodeMeta, positionOf } from './state-meta.js';
import {
  type ChangedRows,
  type Dump,
  type Loaded,
  StateOpenError,
  type StateStore,
  StateWriteError,
} from './state-store.js';

export { FolderLocked } from './level-folder.js';

/**
 * The state in LevelDB, in the folder `state` of the data folder: `rows` holds it; `lock` is a database that stays empty and
 * is open as long as the store is, for the sake of its LOCK file, the exclusive lock on the whole data folder. They are two
 * so that damaged rows can be thrown away without letting go of the lock. `starts` counts the starts since a clean stop.
 *
 * LevelDB is not trusted with anything (DESIGN 2): every row is covered by the checksum in the meta row, and a state that does
 * not match it is not returned.
 */
export class LevelStore implements StateStore {
  readonly #folder: string;
  readonly #lock: Database;
  readonly #readOnly: boolean;
  /** Null where it cannot be opened and must stay as it is. */
  #database: Database | null;
  /** Why the database had to be made anew when it was opened. */
  #damage: string | null;
  #sums = new RowSums();
  /** Null until `load` or `reset` said what the store holds. */
  #pending: PendingRows | null = null;
  /** Flushes and resets run one after the other; once one failed, so does every later one. */
  #queue: Promise<void> = Promise.resolve();

  /**
   * Throws FolderLocked when another process has the data folder open, and StateOpenError when the system lets no database be opened.
   * @param options `readOnly`: to look at it. Nothing is thrown away, however damaged, and the starts are not counted; it may not be written
   */
  static async open(dataFolder: string, { readOnly = false } = {}): Promise<LevelStore> {
    const lock = await openLock(dataFolder);
    try {
      const folder = join(dataFolder, 'state');
      const [rows, starts] = [join(folder, 'rows'), join(folder, 'starts')];
      const opened = readOnly ? await lookAtRows(rows) : await openRows(rows, starts);
      return new LevelStore(folder, lock, opened, readOnly);
    } catch (error) {
      await lock.close();
      throw isLocked(error) ? new FolderLocked(dataFolder, error) : error;
    }
  }

  private constructor(folder: string, lock: Database, opened: Looked, readOnly: boolean) {
    this.#folder = folder;
    this.#lock = lock;
    this.#database = opened.database;
    this.#damage = opened.reason;
    this.#readOnly = readOnly;
  }

  async load(): Promise<Loaded> {
    assert(!this.#pending, 'load is called once');
    if (this.#damage !== null) return { ok: false, reason: this.#damage };
    const found = await readVerified(this.#rows, this.#folder);
    if (typeof found === 'string') return { ok: false, reason: found };
    this.#sums = found.sums;
    this.#pending = new PendingRows(found.position);
    return { ok: true, ...found.position, rows: found.rows };
  }

  put(position: Position, rows: ChangedRows): void {
    this.#writable().merge(position, rows);
  }

  async flush(): Promise<void> {
    this.#writable();
    await this.#enqueue(async () => {
      const changes = this.#writable().take();
      if (changes) await writeChanges(this.#rows, this.#sums, changes);
    });
  }

  async reset(): Promise<void> {
    await this.#enqueue(async () => {
      // Not `clear`: damaged tables would fail a later compaction, and with it every write.
      await this.#rows.close();
      this.#database = await recreate(join(this.#folder, 'rows'));
      this.#damage = null;
      this.#sums = new RowSums();
      this.#pending = new PendingRows(START);
    });
  }

  readonly dump: Dump = async (sink) => {
    let metaText: string | undefined;
    let [count, total] = [0, 0];
    // An iterator sees the database as it is now, whatever is flushed meanwhile.
    for await (const entries of chunks(this.#rows, ROWS_DUMPED_PER_TURN)) {
      const rows = entries.filter(([key]) => key !== META_KEY);
      if (rows.length < entries.length) metaText = entries.find(([key]) => key === META_KEY)?.[1];
      for (const [key, value] of rows) total = withRow(total, key, value);
      count += rows.length;
      await sink(rows);
    }
    return positionOf(metaText, { count, total });
  };

  async close(): Promise<void> {
    const isClean = await this.#queue.then(
      () => true,
      () => false,
    );
    this.#pending = null;
    await this.#database?.close();
    if (isClean && !this.#readOnly) await forgetStarts(join(this.#folder, 'starts'));
    await this.#lock.close();
  }

  get #rows(): Database {
    assert(this.#database, 'what cannot be opened is not read');
    return this.#database;
  }

  #writable(): PendingRows {
    assert(!this.#readOnly, 'a store that is looked at is not written');
    assert(this.#pending, 'a store is loaded or reset before it is written');
    return this.#pending;
  }

  #enqueue(step: () => Promise<void>): Promise<void> {
    this.#queue = this.#queue.then(step).catch((cause: unknown) => {
      throw cause instanceof StateWriteError
        ? cause
        : new StateWriteError(this.#folder, reasonOf(cause), cause);
    });
    return this.#queue;
  }
}

/** The store's own row; no other key may hold a NUL. */
const META_KEY = '\0meta';

/** Rows handed to LevelDB before others get a turn: a few milliseconds of work. */
const ROWS_WRITTEN_PER_TURN = 500;
/** And taken from it at once. */
const ROWS_PER_TURN = 1000;
/** While the server serves: they are hashed and copied too, about a millisecond. */
const ROWS_DUMPED_PER_TURN = 200;

async function openLock(dataFolder: string): Promise<Database> {
  try {
    return (await openOrRecreate(join(dataFolder, 'state', 'lock'))).database;
  } catch (error) {
    throw isLocked(error) ? new FolderLocked(dataFolder, error) : error;
  }
}

/** One chained batch (an array batch blocks this thread seven times as long per row), all or nothing, synced. */
async function writeChanges(database: Database, sums: RowSums, changes: RowChanges): Promise<void> {
  const batch = database.batch();
  let queued = 0;
  for (const [key, row] of changes.rows) {
    if (row === null) {
      sums.delete(key);
      batch.del(key);
    } else {
      const value = JSON.stringify(row);
      sums.set(key, value);
      batch.put(key, value);
    }
    queued += 1;
    if (queued % ROWS_WRITTEN_PER_TURN === 0) await nextTurn();
  }
  batch.put(META_KEY, encodeMeta(changes.position, sums));
  await batch.write({ sync: true });
}

interface VerifiedState {
  readonly position: Position;
  readonly rows: Map<string, string>;
  readonly sums: RowSums;
}

/** The whole state, or why it cannot be used. Throws StateOpenError. */
async function readVerified(database: Database, folder: string): Promise<VerifiedState | string> {
  const rows = new Map<string, string>();
  const sums = new RowSums();
  let metaText: string | undefined;
  try {
    for await (const entries of chunks(database)) {
      for (const [key, value] of entries) {
        if (key === META_KEY) {
          metaText = value;
          continue;
        }
        rows.set(key, value);
        sums.set(key, value);
      }
    }
  } catch (error) {
    if (isOfTheSystem(error)) throw new StateOpenError(folder, reasonOf(error), error);
    return `it cannot be read (${reasonOf(error)})`;
  }
  const position = positionOf(metaText, sums);
  return typeof position === 'string' ? position : { position, rows, sums };
}

/** All entries, many at a time: one promise for each row would cost more than reading it. The next ones are read while these are looked at. */
async function* chunks(
  database: Database,
  atOnce = ROWS_PER_TURN,
): AsyncGenerator<[string, string][], void, undefined> {
  const iterator = database.iterator();
  let ahead = iterator.nextv(atOnce);
  try {
    for (;;) {
      const entries = await ahead;
      if (entries.length === 0) return;
      ahead = iterator.nextv(atOnce);
      yield entries;
    }
  } finally {
    // Whoever stops early did not want to know of these.
    await ahead.catch(() => {});
    await iterator.close();
  }
}
