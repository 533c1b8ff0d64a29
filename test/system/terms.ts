/** What the vendor signs, as far as a test cares. */
export interface Terms {
  readonly product?: string;
  readonly seats: number;
  readonly share?: 'process' | 'device' | 'user';
  readonly borrow?: { readonly max: string; readonly seats: number };
  readonly id?: string;
  /** Its last day; in a year when left out. */
  readonly until?: string;
  /** Further words for `berth vendor issue`. */
  readonly more?: readonly string[];
}

/** The words of `berth vendor issue` for these terms: from yesterday, until in a year unless said. */
export function wordsOf({
  product = 'render',
  seats,
  share,
  borrow,
  id,
  until = day(365),
  more = [],
}: Terms): string[] {
  return [
    ...['--product', product, '--seats', String(seats), '--from', day(-1), '--until', until],
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
