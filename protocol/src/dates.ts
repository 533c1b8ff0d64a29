/** A UTC day, `YYYY-MM-DD`. */
export type Day = string;

const dayPattern = /^(\d{4})-(\d{2})-(\d{2})$/;
const dayMs = 86_400_000;

/** Milliseconds since 1970 of the first moment of a UTC day; `null` when there is no such day. */
export function dayStartMs(day: Day): number | null {
  const match = dayPattern.exec(day);
  if (match === null) return null;
  const ms = Date.UTC(Number(match[1]), Number(match[2]) - 1, Number(match[3]));
  return formatDay(ms) === day ? ms : null;
}

/** The first moment after a UTC day: where a right that lasts "until" that day ends (PRODUCT.md, Words). */
export function dayEndMs(day: Day): number | null {
  const start = dayStartMs(day);
  return start === null ? null : start + dayMs;
}

/** The UTC day a moment falls on. */
export function formatDay(ms: number): Day {
  return new Date(ms).toISOString().slice(0, 10);
}

/** A moment for a text that is kept, to the minute: `2027-05-09 16:30 UTC`. */
export function formatMinute(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

/** The last day of a right that ends at `ms` (exclusive). */
export function lastDay(endMs: number): Day {
  return formatDay(endMs - 1);
}
