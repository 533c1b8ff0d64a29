/** Rows looked at between two looks at the sockets: a millisecond or two, so that no renewal waits for a list. */
export const ROWS_AT_ONCE = 8192;

/**
 * Looks at rows of a table or an index, however many there are. Rows may come and go while the sockets have their turn: one that is there all the time is
 * looked at once, one that is not may be.
 * @param atOnce fewer where a row takes longer than a look at a few of its fields
 */
export async function inTurns<Row>(
  rows: Iterable<Row>,
  look: (row: Row) => void,
  atOnce = ROWS_AT_ONCE,
): Promise<void> {
  let left = atOnce;
  for (const row of rows) {
    look(row);
    left -= 1;
    if (left > 0) continue;
    left = atOnce;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Of any number of rows the first few in an order, without sorting the others: most of them lose against the worst that is kept. */
export class Selection<Row> {
  readonly #count: number;
  readonly #compare: (a: Row, b: Row) => number;
  #kept: Row[] = [];
  #worst: Row | undefined;

  constructor(count: number, compare: (a: Row, b: Row) => number) {
    this.#count = count;
    this.#compare = compare;
  }

  add(row: Row): void {
    if (this.#worst !== undefined && this.#compare(row, this.#worst) >= 0) return;
    this.#kept.push(row);
    if (this.#kept.length >= 2 * this.#count + SLACK) this.#cut();
  }

  /** In order. */
  sorted(): readonly Row[] {
    this.#cut();
    return this.#kept;
  }

  #cut(): void {
    this.#kept.sort(this.#compare);
    if (this.#kept.length <= this.#count) return;
    this.#kept.length = this.#count;
    this.#worst = this.#kept.at(-1);
  }
}

/** A sort is for so many more rows than are kept, at least. */
const SLACK = 256;
