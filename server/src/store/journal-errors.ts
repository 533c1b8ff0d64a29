import { errnoOf } from './errno.js';

/** Why a journal is refused. Codes are stable; the texts are for people. */
export const corruptReasons = {
  CHECKSUM: 'the record is damaged (its checksum does not match)',
  CUT_SHORT: 'the record is cut short',
  TOO_LONG: 'the record says it is longer than any record may be',
  OUT_OF_ORDER: 'another record stands in its place',
  CHAIN: 'the record does not continue the hash chain',
  SEGMENT_HEADER: 'the header of the segment file is damaged',
  SEGMENT_MISSING: 'the segment file is missing',
  ENDS_EARLY: 'the journal ends before this record, though the head file says it was written',
  HEAD_MISSING: 'the head file is missing though there are records',
  HEAD_BROKEN: 'both slots of the head file are damaged though there are records',
  HEAD_MISMATCH: 'the record is not the one that the head file names',
  HEAD_STALE: 'the head file is older than the records, as after restoring only a part of the folder',
  BASE_BROKEN: 'the base, from which a pruned journal is rebuilt, is damaged',
  BASE_FOREIGN: 'the base is not of this journal: it names another record',
  BASE_MISSING: 'the base is missing, though the journal was pruned',
  UNREADABLE: 'the disk cannot read it',
} as const;

export type CorruptReason = keyof typeof corruptReasons;

/** The journal lost or changed something that was acknowledged, or may have been: do not serve. Nothing was changed on disk. */
export class JournalCorrupt extends Error {
  override readonly name = 'JournalCorrupt';
  readonly code = 'JOURNAL_CORRUPT';
  /** Path of the segment or head file. */
  readonly file: string;
  /** The first sequence that is not as it was written; 0 when the head file itself cannot be used. */
  readonly seq: number;
  readonly reason: CorruptReason;

  constructor(where: { file: string; seq: number; reason: CorruptReason }, options?: ErrorOptions) {
    const record = where.seq === 0 ? '' : `, record ${where.seq}`;
    const what = `${where.file}${record}: ${corruptReasons[where.reason]}`;
    super(
      `The journal is damaged at ${what}. Nothing was changed. Restore the data folder from a backup; ` +
        'do not edit it: what it acknowledged cannot be made up again.',
      options,
    );
    this.file = where.file;
    this.seq = where.seq;
    this.reason = where.reason;
  }
}

/** A write or sync failed. What reached the disk is unknown and a retry would lie (DESIGN 2): stop the process. */
export class JournalWriteError extends Error {
  override readonly name = 'JournalWriteError';
  readonly code = 'JOURNAL_WRITE_FAILED';
  /** The errno name of the cause: `ENOSPC`, `EIO`, ... or `UNKNOWN`. */
  readonly errno: string;

  constructor(folder: string, cause: unknown) {
    const errno = errnoOf(cause);
    super(
      `Writing the journal in ${folder} failed (${errno}). The server must stop: what reached the disk is not known. ` +
        'Check the disk and its free space, then start again.',
      { cause },
    );
    this.errno = errno;
  }
}
