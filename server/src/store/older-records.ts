import { dirname } from 'node:path';
import type { FileSystem } from './files.js';
import { JournalCursor } from './journal-cursor.js';
import { JournalCorrupt } from './journal-errors.js';
import type { Position } from './position.js';
import type { Segment } from './segment-reader.js';

/** What a start left unread, or a backup is made of: the records up to and with `verifiedAfter`, in the first of these segments. */
export interface PartlyRead {
  readonly segments: readonly Segment[];
  readonly verifiedAfter: Position;
}

/** Records verified before others get a turn: a millisecond of work. */
const RECORDS_PER_TURN = 128;

/**
 * Verifies what `Journal.open` did not read (decision 0015): each record, and that they lead to the very record that the start went on
 * from. Reads only. Rejects with JournalCorrupt, or the disk's own error.
 * @param pause between two turns; false: stop now
 */
export async function verifyOlder(
  files: FileSystem,
  { segments, verifiedAfter: until }: PartlyRead,
  pause: (verified: number) => Promise<boolean>,
): Promise<void> {
  const [first] = segments;
  if (first === undefined || until.seq === 0) return;
  const cursor = new JournalCursor(files, dirname(first.file), segments, 1);
  try {
    while (cursor.last.seq < until.seq) {
      await cursor.next(Math.min(until.seq, cursor.last.seq + RECORDS_PER_TURN));
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
