import type { Finding } from '../auditor/auditor.js';

/** The server's name among those whose clocks did what I3 promises nothing about; a computer has its own. */
export const SERVER = 'the server';

/**
 * Whether such a clock can have led to a finding: it rests on how long a borrow lasts, and the clock was the server's, or that of a computer whose
 * borrow it is. What rests on online leases, on the journal or on signatures is no wall clock's doing.
 */
export function isExcused(
  { borrowers = [] }: Pick<Finding, 'borrowers'>,
  beyond: ReadonlySet<string>,
): boolean {
  if (beyond.has(SERVER)) return borrowers.length > 0;
  // `pc3/2` is the second process of pc3.
  return borrowers.some((process) => beyond.has(process.split('/')[0]!));
}
