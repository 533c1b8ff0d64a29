/**
 * Keys in order, for lists that show a page of many rows: to find a page costs what the page costs. What was added or removed since the last
 * look is merged then, so that a burst of changes costs one walk.
 */
export class SortedKeys {
  #sorted: string[] = [];
  readonly #keys = new Set<string>();
  #added: string[] = [];
  #removed = false;

  add(key: string): void {
    if (this.#keys.has(key)) return;
    this.#keys.add(key);
    const last = this.#sorted[this.#sorted.length - 1];
    // A state is loaded in the order of its keys.
    if (this.#added.length === 0 && !this.#removed && (last === undefined || last < key))
      this.#sorted.push(key);
    else this.#added.push(key);
  }

  remove(key: string): void {
    if (this.#keys.delete(key)) this.#removed = true;
  }

  get size(): number {
    return this.#keys.size;
  }

  /** Keys behind `key`, in order. */
  *after(key: string): Generator<string> {
    this.#merge();
    const sorted = this.#sorted;
    for (let at = this.#firstBehind(key); at < sorted.length; at += 1) yield sorted[at]!;
  }

  /** As an index has it, for whoever compares. */
  entries(): IterableIterator<[string, string]> {
    return this.#keys.entries();
  }

  #firstBehind(key: string): number {
    let [from, to] = [0, this.#sorted.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      if (this.#sorted[middle]! > key) to = middle;
      else from = middle + 1;
    }
    return from;
  }

  #merge(): void {
    if (this.#added.length === 0 && !this.#removed) return;
    const added = this.#added.filter((key) => this.#keys.has(key)).sort((a, b) => (a < b ? -1 : 1));
    const merged: string[] = [];
    let next = 0;
    const take = (key: string): void => {
      // A key that went and came back stands in both: once is enough.
      if (merged[merged.length - 1] !== key) merged.push(key);
    };
    for (const key of this.#sorted) {
      while (next < added.length && added[next]! < key) take(added[next++]!);
      if (!this.#removed || this.#keys.has(key)) take(key);
    }
    while (next < added.length) take(added[next++]!);
    this.#sorted = merged;
    this.#added = [];
    this.#removed = false;
  }
}
