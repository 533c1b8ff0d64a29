import type { Pruned } from '@berth/protocol';
import { momentCell } from '../words.js';

/** What is not there, for whoever reads what is. */
export function prunedNote(pruned: Pruned | null | undefined): string[] {
  if (pruned === null || pruned === undefined) return [];
  const { until, atMs, by } = pruned;
  return [
    `Records up to ${until} are not in the journal any more: ${by} exported and pruned them on ${momentCell(atMs)}.`,
  ];
}
