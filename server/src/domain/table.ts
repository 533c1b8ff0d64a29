/**
 * Rows of one kind by id. Remembers which rows changed since they were last taken, so that what is written to the state
 * store can never miss a mutation: there is no other way to change a row.
 */
export class Table<Row> {
  readonly #rows = new Map<string, Row>();
  #dirty = new Set<string>();

  get(id: string): Row | undefined {
    return this.#rows.get(id);
  }

  has(id: string): boolean {
    return this.#rows.has(id);
  }

  get size(): number {
    return this.#rows.size;
  }

  keys(): IterableIterator<string> {
    return this.#rows.keys();
  }

  values(): IterableIterator<Row> {
    return this.#rows.values();
  }

  entries(): IterableIterator<[string, Row]> {
    return this.#rows.entries();
  }

  /** Rows are replaced, never edited in place. */
  set(id: string, row: Row): void {
    this.#rows.set(id, row);
    this.#dirty.add(id);
  }

  delete(id: string): void {
    if (this.#rows.delete(id)) this.#dirty.add(id);
  }

  /** Ids changed since the last call; a row that is gone was deleted. */
  takeDirty(): Set<string> {
    const dirty = this.#dirty;
    if (dirty.size > 0) this.#dirty = new Set();
    return dirty;
  }
}

/** A set of ids for each key; a key without ids does not exist. */
export class Index {
  readonly #sets = new Map<string, Set<string>>();

  add(key: string, id: string): void {
    const set = this.#sets.get(key);
    if (set === undefined) this.#sets.set(key, new Set([id]));
    else set.add(id);
  }

  remove(key: string, id: string): void {
    const set = this.#sets.get(key);
    if (set?.delete(id) && set.size === 0) this.#sets.delete(key);
  }

  get(key: string): ReadonlySet<string> {
    return this.#sets.get(key) ?? none;
  }

  get size(): number {
    return this.#sets.size;
  }

  entries(): IterableIterator<[string, Set<string>]> {
    return this.#sets.entries();
  }
}

const none: ReadonlySet<string> = new Set();

/** A count for each key; a key whose count is zero does not exist. */
export class Tally {
  readonly #counts = new Map<string, number>();

  add(key: string, amount: number): void {
    const count = (this.#counts.get(key) ?? 0) + amount;
    if (!Number.isSafeInteger(count)) throw new Error(`invariant: the count of ${key} is ${count}`);
    if (count === 0) this.#counts.delete(key);
    else this.#counts.set(key, count);
  }

  get(key: string): number {
    return this.#counts.get(key) ?? 0;
  }

  entries(): IterableIterator<[string, number]> {
    return this.#counts.entries();
  }
}
