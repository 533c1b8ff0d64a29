import { dirname } from 'node:path';
import {
  type Base,
  baseMissing,
  findBase,
  isNamed,
  type NamedBase,
  requireBound,
  verifyBase,
} from './base.js';
import type { FileSystem } from './files.js';
import { JournalCursor } from './journal-cursor.js';
import { JournalCorrupt } from './journal-errors.js';
import { type Position, START } from './position.js';
import type { Segment } from './segment-reader.js';

/** What a start left unread, or a backup is made of: the records up to and with `verifiedAfter`, in the first of these segments. */
export interface PartlyRead {
  readonly segments: readonly Segment[];
  readonly verifiedAfter: Position;
  /** The base that the records name; left out: whichever there is. */
  readonly named?: NamedBase | null;
}

/** Records verified before others get a turn: a millisecond of work. */
const RECORDS_PER_TURN = 128;

/**
 * The base that the records name, all of it verified; null: nothing is missing, and nothing stands for it. Reads only. Rejects with
 * JournalCorrupt, or the disk's own error. @param pause between two turns; false: stop now
 */
export async function verifyNamed(
  files: FileSystem,
  { segments: [first], named = null }: Pick<PartlyRead, 'segments' | 'named'>,
  pause: () => Promise<boolean>,
): Promise<Base | null> {
  if (first === undefined) return null;
  const folder = dirname(first.file);
  const base = await findBase(files, folder, named?.at);
  if (base === null && first.firstSeq > 1) throw baseMissing(folder, first.firstSeq - 1, named);
  if (base !== null && named !== null && !isNamed(base, named))
    throw new JournalCorrupt({ file: base.file, seq: named.at, reason: 'BASE_FOREIGN' });
  if (base !== null) await verifyBase(files, base, pause);
  return base;
}

/**
 * Verifies what `Journal.open` did not read (decision 0015): each record, and that they lead to the very record that the start went on
 * from; and the base of one that was pruned. Reads only. Rejects with JournalCorrupt, or the disk's own error.
 * @param pause between two turns; false: stop now
 */
export async function verifyOlder(
  files: FileSystem,
  { segments, verifiedAfter: until, named = null }: PartlyRead,
  pause: (verified: number) => Promise<boolean>,
): Promise<void> {
  const [first] = segments;
  if (first === undefined || (until.seq === 0 && first.firstSeq === 1)) return;
  const folder = dirname(first.file);
  const base = await verifyNamed(files, { segments, named }, () => pause(0));
  // Pruned since.
  if (until.seq < first.firstSeq - 1) return;
  const cursor = new JournalCursor(files, folder, [...segments], 1, base?.until ?? START);
  try {
    while (cursor.last.seq < until.seq) {
      for (const record of await cursor.next(Math.min(until.seq, cursor.last.seq + RECORDS_PER_TURN)))
        requireBound(base, record);
      requireBound(base, cursor.after);
      if (cursor.stop) throw new JournalCorrupt(cursor.stop);
      if (!(await pause(cursor.last.seq))) return;
    }
    if (cursor.last.hash === until.hash) return;
    // Whole in itself, and not what the later records continue: another history lies in the old files.
    throw new JournalCorrupt({ file: cursor.end!.file, seq: until.seq, reason: 'CHAIN' });
  } finally {
    await cursor.close();
  }
}
