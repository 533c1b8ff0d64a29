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
  /** The id itself where there is one, as for most keys of most indexes: a set takes 200 bytes. */
  readonly #ids = new Map<string, string | Set<string>>();

  add(key: string, id: string): void {
    const ids = this.#ids.get(key);
    if (ids === undefined) this.#ids.set(key, id);
    else if (typeof ids !== 'string') ids.add(id);
    else if (ids !== id) this.#ids.set(key, new Set([ids, id]));
  }

  remove(key: string, id: string): void {
    const ids = this.#ids.get(key);
    if (ids === id) this.#ids.delete(key);
    else if (typeof ids === 'object' && ids.delete(id) && ids.size === 0) this.#ids.delete(key);
  }

  get(key: string): ReadonlySet<string> {
    const ids = this.#ids.get(key);
    return ids === undefined ? none : asSet(ids);
  }

  /** As `get`, without a set around one id: for whoever looks at many keys. */
  each(key: string, look: (id: string) => void): void {
    const ids = this.#ids.get(key);
    if (typeof ids === 'string') look(ids);
    else ids?.forEach(look);
  }

  /** How many ids a key has. */
  count(key: string): number {
    const ids = this.#ids.get(key);
    return ids === undefined ? 0 : typeof ids === 'string' ? 1 : ids.size;
  }

  get size(): number {
    return this.#ids.size;
  }

  keys(): IterableIterator<string> {
    return this.#ids.keys();
  }

  *entries(): IterableIterator<[string, ReadonlySet<string>]> {
    for (const [key, ids] of this.#ids) yield [key, asSet(ids)];
  }
}

function asSet(ids: string | Set<string>): ReadonlySet<string> {
  return typeof ids === 'string' ? new Set([ids]) : ids;
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
