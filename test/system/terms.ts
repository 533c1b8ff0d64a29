/** What the vendor signs, as far as a test cares. */
export interface Terms {
  readonly product?: string;
  readonly seats: number;
  readonly share?: 'process' | 'device' | 'user';
  readonly borrow?: { readonly max: string; readonly seats: number };
  readonly id?: string;
  /** Further words for `berth vendor issue`. */
  readonly more?: readonly string[];
}

/** The words of `berth vendor issue` for these terms: from yesterday until in a year. */
export function wordsOf({ product = 'render', seats, share, borrow, id, more = [] }: Terms): string[] {
  return [
    ...['--product', product, '--seats', String(seats), '--from', day(-1), '--until', day(365)],
    ...(share === undefined ? [] : ['--share', share]),
    ...(borrow === undefined ? [] : ['--borrow-max', borrow.max, '--borrow-seats', String(borrow.seats)]),
    ...(id === undefined ? [] : ['--id', id]),
    ...more,
  ];
}

/** A UTC day, so many days from today. */
export function day(fromToday: number): string {
  return new Date(Date.now() + fromToday * 86_400_000).toISOString().slice(0, 10);
}
