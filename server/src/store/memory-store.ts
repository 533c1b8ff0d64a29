import assert from 'node:assert/strict';
import { PendingRows } from './pending-rows.js';
import { type Position, START } from './position.js';
import type { Loaded, StateStore } from './state-store.js';

/** What a MemoryStore has flushed. It outlives the store, as files do: open another store on it to restart. */
export interface MemoryDisk {
  position: Position;
  rows: Map<string, string>;
}

export function emptyMemoryDisk(): MemoryDisk {
  return { position: START, rows: new Map() };
}

/** A StateStore without a disk, for tests and the simulator. */
export class MemoryStore implements StateStore {
  readonly #disk: MemoryDisk;
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
    this.#pending = new PendingRows(this.#disk.position);
    return { ok: true, ...this.#disk.position, rows: new Map(this.#disk.rows) };
  }

  put(position: Position, rows: ReadonlyMap<string, string | null>): void {
    this.#writable().merge(position, rows);
  }

  async flush(): Promise<void> {
    const changes = this.#writable().take();
    if (!changes) return;
    for (const [key, value] of changes.rows) {
      if (value === null) this.#disk.rows.delete(key);
      else this.#disk.rows.set(key, value);
    }
    this.#disk.position = changes.position;
  }

  async reset(): Promise<void> {
    assert(this.#isOpen, 'reset needs an open store');
    Object.assign(this.#disk, emptyMemoryDisk());
    this.#pending = new PendingRows(START);
  }

  async close(): Promise<void> {
    this.#isOpen = false;
  }

  #writable(): PendingRows {
    assert(this.#isOpen && this.#pending, 'a store is loaded or reset before it is written');
    return this.#pending;
  }
}
