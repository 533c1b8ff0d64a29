/** Several runs of one case: noise shows as the distance between the least and the most. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** @param values one of each run; of an even number the lower of the two in the middle */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const median = sorted[Math.floor((sorted.length - 1) / 2)];
  if (median === undefined) throw new RangeError('There is no median of nothing');
  return { median, min: sorted[0]!, max: sorted.at(-1)! };
}

/** The smallest value that this part of all is not above (nearest rank). @param part above 0, at most 1 */
export function percentile(values: readonly number[], part: number): number {
  const sorted = Float64Array.from(values).sort();
  const value = sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)];
  if (value === undefined) throw new RangeError('There is no percentile of nothing');
  return value;
}

/** Three digits that count: what a fourth would say is noise. */
export function rounded(value: number): number {
  return Number(value.toPrecision(3));
}
