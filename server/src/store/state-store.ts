import type { Position } from './position.js';

/**
 * The state that the journal led to, kept so that a start need not replay everything: rows of string key and string value
 * (JSON), and the position of the journal they stand for. It is written behind and carries no acknowledgement; the journal is
 * the truth, and a state that does not check is rebuilt from it (DESIGN 2).
 *
 * The position that `load` returns may lie behind the journal's: replay from there. The caller checks that the journal has
 * that very record (sequence and hash); a state ahead of its journal, or of another journal, is not its state.
 */
export interface StateStore {
  /**
   * Everything, verified: called once, before any `put`. A new store is ok with position START and no rows. After
   * `ok: false` the rows are not to be had; `reset` and rebuild. Throws StateOpenError: they may be there, but cannot be read now.
   */
  load(): Promise<Loaded>;
  /**
   * Remembers in memory what changed up to `position`; null deletes a row. The rows of one position come in one call: a flush
   * between two of them would store half of it. Keys are not empty and hold no NUL character.
   */
  put(position: Position, rows: ChangedRows): void;
  /** Makes everything put before the call durable, in one step: after a crash all of it is there, or none. */
  flush(): Promise<void>;
  /** Empties the store, what was put included, so that it can be filled anew. */
  reset(): Promise<void>;
  /**
   * Hands out what was flushed last, as it was at one moment, some rows at a time. @returns what they stand for; in words, why they
   * are not to be believed. What is put or flushed meanwhile is not in it.
   */
  dump: Dump;
  /** Closes without a flush. */
  close(): Promise<void>;
}

/**
 * Rows by key; `null`: deleted. Each is plain JSON, as `JSON.parse` gives it, and never edited once it is here (table.ts): it is written out at the flush, so that a row that
 * changes ten times a second, or is gone again within it, costs once or nothing.
 */
export type ChangedRows = ReadonlyMap<string, unknown>;

/** @param sink is given every row once, and waited for */
export type Dump = (
  sink: (rows: readonly (readonly [string, string])[]) => Promise<void>,
) => Promise<Position | string>;

export type Loaded =
  | { readonly ok: true; readonly seq: number; readonly hash: string; readonly rows: Map<string, string> }
  | { readonly ok: false; readonly reason: string };

/** Writing the state failed: the store accepts nothing more. Stop the process (DESIGN 2); the journal lost nothing. */
export class StateWriteError extends Error {
  override readonly name = 'StateWriteError';
  readonly code = 'STATE_WRITE_FAILED';

  /** @param reason in the system's words */
  constructor(folder: string, reason: string, cause: unknown) {
    super(
      `Writing the state in ${folder} failed (${reason}). The server must stop. Check the disk and its free space, then start again: ` +
        'nothing acknowledged is lost.',
      { cause },
    );
  }
}

/** The system does not let the state be read, or made: a full disk, too few open files, a failing device. Nothing is wrong with the rows. */
export class StateOpenError extends Error {
  override readonly name = 'StateOpenError';
  readonly code = 'STATE_OPEN_FAILED';
  readonly next =
    'Check the disk, its free space and the permissions, then start again. Do not delete the state folder: it shows what the journal must hold.';

  /** @param reason in the system's words, with the file */
  constructor(folder: string, reason: string, cause: unknown) {
    super(`The state in ${folder} cannot be opened: ${reason}. It was left as it is.`, { cause });
  }
}
