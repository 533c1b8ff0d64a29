import assert from 'node:assert/strict';
import type { Position } from './position.js';
import type { ChangedRows } from './state-store.js';

/** What one flush writes: each changed row once, with its last value, and the position all of it stands for. */
export interface RowChanges {
  readonly position: Position;
  readonly rows: ChangedRows;
}

/** The rows put since the last flush, merged. */
export class PendingRows {
  #position: Position;
  #rows = new Map<string, unknown>();
  #isChanged = false;

  /** `position` is what the store holds already. */
  constructor(position: Position) {
    this.#position = position;
  }

  merge(position: Position, rows: ChangedRows): void {
    assert(position.seq >= this.#position.seq, 'the state never goes back');
    for (const [key, value] of rows) {
      // NUL parts key and value in the checksum and marks the store's own row.
      assert(key !== '' && !key.includes('\0'), 'a key is not empty and holds no NUL');
      this.#rows.set(key, value);
    }
    this.#position = position;
    this.#isChanged = true;
  }

  /** Everything merged so far, which is then no longer pending; null when there is nothing. */
  take(): RowChanges | null {
    if (!this.#isChanged) return null;
    const changes = { position: this.#position, rows: this.#rows };
    this.#rows = new Map();
    this.#isChanged = false;
    return changes;
  }
}
