/** Keys in one block: what an insertion moves at most, and how many blocks an insertion looks through. */
const BLOCK_KEYS = 512;

/**
 * Keys in order, for lists that show a page of many rows: a page costs what it shows, wherever it begins, and a key that comes or goes costs a search
 * and the move of half a block.
 */
export class SortedKeys {
  /** In order, none of them empty. */
  readonly #blocks: string[][] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(key: string): void {
    // A state is loaded in the order of its keys, and then every block is full.
    const last = this.#blocks.at(-1);
    if (last === undefined || last.at(-1)! < key) {
      if (last === undefined || last.length >= BLOCK_KEYS) this.#blocks.push([key]);
      else last.push(key);
      this.#size += 1;
      return;
    }
    const at = this.#blockOf(key);
    const block = this.#blocks[at]!;
    const place = behind(block, key);
    if (block[place - 1] === key) return;
    block.splice(place, 0, key);
    this.#size += 1;
    if (block.length > BLOCK_KEYS) this.#blocks.splice(at + 1, 0, block.splice(BLOCK_KEYS / 2));
  }

  remove(key: string): void {
    const at = this.#blockOf(key);
    const block = this.#blocks[at];
    if (block === undefined) return;
    const place = behind(block, key) - 1;
    if (block[place] !== key) return;
    block.splice(place, 1);
    this.#size -= 1;
    if (block.length === 0) this.#blocks.splice(at, 1);
  }

  [Symbol.iterator](): Generator<string> {
    return this.from(0);
  }

  /** Keys behind `key`, in order. */
  after(key: string): Generator<string> {
    const at = this.#blockOf(key);
    return this.#forward(at, behind(this.#blocks[at] ?? [], key));
  }

  /** Keys before `key`, the last one first. */
  before(key: string): Generator<string> {
    const at = this.#blockOf(key);
    const block = this.#blocks[at] ?? [];
    const place = behind(block, key);
    return this.#backward(at, (block[place - 1] === key ? place - 1 : place) - 1);
  }

  /** All but the first so many, in order. */
  from(skip: number): Generator<string> {
    let [at, left] = [0, skip];
    while (at < this.#blocks.length && left >= this.#blocks[at]!.length) left -= this.#blocks[at++]!.length;
    return this.#forward(at, left);
  }

  /** All but the last so many, the last one first. */
  fromEnd(skip: number): Generator<string> {
    let [at, left] = [this.#blocks.length - 1, skip];
    while (at >= 0 && left >= this.#blocks[at]!.length) left -= this.#blocks[at--]!.length;
    return this.#backward(at, (this.#blocks[at]?.length ?? 0) - 1 - left);
  }

  *#forward(block: number, place: number): Generator<string> {
    for (let [at, from] = [block, place]; at < this.#blocks.length; at += 1, from = 0) {
      const keys = this.#blocks[at]!;
      for (let next = from; next < keys.length; next += 1) yield keys[next]!;
    }
  }

  *#backward(block: number, place: number): Generator<string> {
    for (let [at, from] = [block, place]; at >= 0; at -= 1, from = BLOCK_KEYS) {
      const keys = this.#blocks[at] ?? [];
      for (let next = Math.min(from, keys.length - 1); next >= 0; next -= 1) yield keys[next]!;
    }
  }

  /** The block that has the key, or would. */
  #blockOf(key: string): number {
    let [from, to] = [0, this.#blocks.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      if (this.#blocks[middle]![0]! > key) to = middle;
      else from = middle + 1;
    }
    return Math.max(0, from - 1);
  }
}

/** Keys in order for each of some keys; one without any does not exist. */
export class SortedIndex {
  readonly #sorted = new Map<string, SortedKeys>();

  add(key: string, id: string): void {
    const sorted = this.#sorted.get(key) ?? new SortedKeys();
    this.#sorted.set(key, sorted);
    sorted.add(id);
  }

  remove(key: string, id: string): void {
    const sorted = this.#sorted.get(key);
    sorted?.remove(id);
    if (sorted?.size === 0) this.#sorted.delete(key);
  }

  get(key: string): Omit<SortedKeys, 'add' | 'remove'> {
    return this.#sorted.get(key) ?? none;
  }

  entries(): IterableIterator<[string, SortedKeys]> {
    return this.#sorted.entries();
  }
}

const none = new SortedKeys();

/** How many of sorted keys are not behind `key`. */
function behind(keys: readonly string[], key: string): number {
  let [from, to] = [0, keys.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (keys[middle]! > key) to = middle;
    else from = middle + 1;
  }
  return from;
}
