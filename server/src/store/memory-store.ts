import assert from 'node:assert/strict';
import { PendingRows } from './pending-rows.js';
import { type Position, START } from './position.js';
import { RowSums } from './row-sums.js';
import { encodeMeta, positionOf } from './state-meta.js';
import type { ChangedRows, Dump, Loaded, StateStore } from './state-store.js';

/** What a MemoryStore has flushed. It outlives the store, as files do: open another store on it to restart. */
export interface MemoryDisk {
  /** The store's own row: what the others stand for and add up to. */
  meta: string | undefined;
  rows: Map<string, string>;
}

export function emptyMemoryDisk(): MemoryDisk {
  return { meta: undefined, rows: new Map() };
}

/** A StateStore without a disk, for tests and the simulator. */
export class MemoryStore implements StateStore {
  readonly #disk: MemoryDisk;
  #sums = new RowSums();
  #pending: PendingRows | null = null;
  #isOpen = true;

  static async open(disk: MemoryDisk = emptyMemoryDisk()): Promise<MemoryStore> {
    return new MemoryStore(disk);
  }

  private constructor(disk: MemoryDisk) {
    this.#disk = disk;
  }

  async load(): Promise<Loaded> {
    assert(this.#isOpen && !this.#pending, 'load is called once, on an open store');
    const rows = new Map(this.#disk.rows);
    const sums = new RowSums();
    for (const [key, value] of rows) sums.set(key, value);
    const position = positionOf(this.#disk.meta, sums);
    if (typeof position === 'string') return { ok: false, reason: position };
    this.#sums = sums;
    this.#pending = new PendingRows(position);
    return { ok: true, ...position, rows };
  }

  put(position: Position, rows: ChangedRows): void {
    this.#writable().merge(position, rows);
  }

  async flush(): Promise<void> {
    const changes = this.#writable().take();
    if (!changes) return;
    for (const [key, row] of changes.rows) {
      if (row === null) {
        this.#sums.delete(key);
        this.#disk.rows.delete(key);
      } else {
        const value = JSON.stringify(row);
        this.#sums.set(key, value);
        this.#disk.rows.set(key, value);
      }
    }
    this.#disk.meta = encodeMeta(changes.position, this.#sums);
  }

  async reset(): Promise<void> {
    assert(this.#isOpen, 'reset needs an open store');
    Object.assign(this.#disk, emptyMemoryDisk());
    this.#sums = new RowSums();
    this.#pending = new PendingRows(START);
  }

  readonly dump: Dump = async (sink) => {
    const rows = [...this.#disk.rows];
    const sums = new RowSums();
    for (const [key, value] of rows) sums.set(key, value);
    const position = positionOf(this.#disk.meta, sums);
    if (typeof position !== 'string') await sink(rows);
    return position;
  };

  async close(): Promise<void> {
    this.#isOpen = false;
  }

  #writable(): PendingRows {
    assert(this.#isOpen && this.#pending, 'a store is loaded or reset before it is written');
    return this.#pending;
  }
}
