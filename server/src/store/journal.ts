import assert from 'node:assert/strict';
import { join } from 'node:path';
import {
  type Base,
  findBase,
  isNamed,
  type NamedBase,
  removeIfThere,
  removeLeft,
  roomForBase,
  writeBase,
} from './base.js';
import type { FileSystem } from './files.js';
import { JournalCursor } from './journal-cursor.js';
import { JournalCorrupt, JournalWriteError } from './journal-errors.js';
import { type JournalRecord, MAX_PAYLOAD_BYTES } from './journal-format.js';
import { type Cut, headPath, inspect, mend, type Recovery } from './journal-recovery.js';
import type { Position } from './position.js';
import { readFileAt, sizeOfFile } from './read-file.js';
import { type Segment, SegmentReader } from './segment-reader.js';
import { SegmentWriter } from './segment-writer.js';
import type { Dump } from './state-store.js';

export { type CorruptReason, JournalCorrupt, JournalWriteError } from './journal-errors.js';
export { type JournalRecord, MAX_PAYLOAD_BYTES } from './journal-format.js';
export type { Cut } from './journal-recovery.js';
export { type Position, START } from './position.js';

/** A file of the journal, by its first record, and how much of it counts. */
export interface SegmentLength {
  readonly firstSeq: number;
  readonly bytes: number;
}

/** All of it at one moment. */
export interface JournalCut {
  readonly position: Position;
  readonly files: readonly SegmentLength[];
  /** Of the base, the record it stands for; null: there is none. */
  readonly base: { readonly at: number; readonly bytes: number } | null;
}

export interface JournalOptions {
  readonly files: FileSystem;
  /** The data folder; the journal is the folder `journal` in it. */
  readonly folder: string;
  /** A segment that has this many bytes is not continued. Default 64 MiB. */
  readonly segmentBytes?: number;
  /**
   * The first record that the caller needs, of a journal whose last one is `head`: what lies in segments before the one that holds it is not
   * read, and not verified. Left out: everything is.
   */
  readonly from?: (head: number) => number;
  /**
   * The last record that was pruned, as a state that checks says: then a base that does not check hinders nobody here. Left out: only the base
   * can say that records may be missing.
   */
  readonly pruned?: Position;
  /** Called for every record that is read, in order, before `open` resolves. When `open` rejects, forget what it brought. */
  readonly onRecord: (record: JournalRecord) => void;
  /** Called for each file from which an unacknowledged write was cut (`readOnly`: would be cut). Say so in the log. */
  readonly onCut?: (cut: Cut) => void;
  /** Called when a damaged slot of the head file was written anew (`readOnly`: would be). Say so in the log. */
  readonly onMend?: (mended: { readonly file: string; readonly seq: number }) => void;
  /** Change nothing on disk. Needs no lock on the data folder: records written meanwhile are not seen. */
  readonly readOnly?: boolean;
}

/**
 * The truth (DESIGN 2): every change the server ever acknowledged, in an append-only hash chain (I10). Formats:
 * journal-format.ts and head.ts; what happens after a crash: journal-recovery.ts.
 *
 * The caller holds the lock on the data folder (LevelStore) before it opens a journal for writing.
 */
export class Journal {
  readonly #files: FileSystem;
  readonly #folder: string;
  readonly #segments: Segment[];
  readonly #verifiedAfter: Position;
  #pruned: Position;
  #base: Base | null;
  #named: NamedBase | null = null;
  /** The one before, for as long as its file is there: a backup may read it. */
  #replaced: Base | null = null;
  #position: Position;
  #writer: SegmentWriter | null;
  /** A file was removed, and it is not known to be durable. */
  #isRemoving = false;
  #inFlight: Promise<Position> | null = null;
  #failure: JournalWriteError | null = null;
  readonly #appending = {
    begun: (segment: Segment): void => void this.#segments.push(segment),
    acknowledged: (position: Position): void => {
      this.#position = position;
    },
  };

  /**
   * Verifies every record (those that it reads: `from`), cuts what was never acknowledged and is ready to append. Throws JournalCorrupt when anything up to
   * the head is not as it was written (nothing was changed then), JournalWriteError when mending fails, and the disk's own
   * error when a file cannot be opened.
   */
  static async open(options: JournalOptions): Promise<Journal> {
    const { files, readOnly = false, onRecord, from, pruned } = options;
    const folder = join(options.folder, JOURNAL_FOLDER);
    if (!readOnly) await writing(folder, () => makeFolder(files, options.folder, folder));
    const recovery = await inspect({ files, folder, readOnly, onRecord, from, pruned });
    const limit = options.segmentBytes ?? DEFAULT_SEGMENT_BYTES;
    const writer = readOnly ? null : await writing(folder, () => prepare(files, folder, recovery, limit));
    report(options, folder, recovery);
    return new Journal(options, folder, recovery, writer);
  }

  private constructor(
    options: JournalOptions,
    folder: string,
    recovery: Recovery,
    writer: SegmentWriter | null,
  ) {
    this.#files = options.files;
    this.#folder = folder;
    this.#segments = recovery.segments;
    this.#verifiedAfter = recovery.verifiedAfter;
    this.#pruned = recovery.pruned;
    this.#base = recovery.base;
    this.#position = recovery.position;
    this.#writer = writer;
  }

  /** The last acknowledged record. */
  get position(): Position {
    return this.#position;
  }

  /** What is acknowledged at the time of the call. Nothing in its files is ever written over: up to these lengths they are that moment, for as long as they are not pruned. */
  async cut(): Promise<JournalCut> {
    const position = this.#position;
    const base = this.#base;
    // The tail may be a segment that is being begun: then it is not among the segments yet, and holds nothing.
    const tail = this.#acknowledgedTail();
    const files: SegmentLength[] = [];
    for (const { file, firstSeq } of [...this.#segments]) {
      const bytes = tail?.firstSeq === firstSeq ? tail.bytes : await sizeOfFile(this.#files, file);
      files.push({ firstSeq, bytes });
    }
    return {
      position,
      files,
      base: base && { at: base.at.seq, bytes: await sizeOfFile(this.#files, base.file) },
    };
  }

  /** Bytes of one of its files, none that are not acknowledged; `null`: there is no such file. */
  async bytesOf(firstSeq: number, offset: number, length: number): Promise<Uint8Array | null> {
    const found = this.#segments.find((one) => one.firstSeq === firstSeq);
    if (found === undefined) return null;
    const tail = this.#acknowledgedTail();
    return await readFileAt(
      this.#files,
      found.file,
      offset,
      length,
      tail?.firstSeq === firstSeq ? tail.bytes : null,
    );
  }

  /** Bytes of the base that stands for record `at`; `null`: there is none, or another. */
  async bytesOfBase(at: number, offset: number, length: number): Promise<Uint8Array | null> {
    const base = [this.#base, this.#replaced].find((each) => each?.at.seq === at);
    return base == null ? null : await readFileAt(this.#files, base.file, offset, length, null);
  }

  /** What it is rebuilt from once it was pruned; null: there is none, or it was damaged when the journal was opened. */
  get base(): Base | null {
    return this.#base;
  }

  /** The position that record `seq` leads to, if it is the last of a segment that is not written any more. Throws JournalCorrupt. */
  async endOfSegment(seq: number): Promise<Position | null> {
    const next = this.#segments.find(({ firstSeq }) => firstSeq === seq + 1);
    if (next === undefined || next === this.#segments[0]) return null;
    const reader = await SegmentReader.open(this.#files, next);
    await reader.close();
    if (reader.fault) throw new JournalCorrupt({ file: next.file, seq: next.firstSeq, reason: reader.fault });
    return reader.last;
  }

  /**
   * Makes a base, after which, once it is named and adopted, records up to `until` may be missing; an earlier one stays until `tidyBases`. In words, why not. Rejects with the
   * disk's own errors. @param spareBytes that have to stay free on the disk
   */
  async rebase(until: Position, dump: Dump, spareBytes: number): Promise<Base | string> {
    return await writeBase(this.#files, this.#folder, { until, dump, spareBytes });
  }

  /** In words, why `rebase` would not even begin; null: it would. Rejects with the disk's own errors */
  async roomForBase(spareBytes: number): Promise<string | null> {
    return await roomForBase(this.#files, this.#folder, spareBytes);
  }

  /** From now on it is rebuilt from this base: that it is is durable in the journal. */
  adopt(base: Base): void {
    this.#replaced = this.#base;
    this.#base = base;
    this.#named = { at: base.at.seq, hash: base.at.hash, sha256: base.sha256 };
    this.#pruned = base.until;
  }

  /**
   * It is rebuilt from the base that the journal itself names, and from no other, however new: one may be left of a prune that was killed before
   * its record was durable, or made by anybody. @returns false: it is not there. Throws JournalCorrupt
   */
  async bind(named: NamedBase | null): Promise<boolean> {
    this.#named = named;
    if (named !== null && this.#base !== null && isNamed(this.#base, named)) return true;
    this.#base = null;
    const found = named === null ? null : await findBase(this.#files, this.#folder, named.at);
    if (found !== null && isNamed(found, named!)) this.#base = found;
    return named === null || this.#base !== null;
  }

  /** The base that its records name; null: nothing was pruned. */
  get named(): NamedBase | null {
    return this.#named;
  }

  /** Removes bases that are not the one named, and what a killed `rebase` left. Rejects with the disk's own errors */
  async tidyBases(): Promise<void> {
    this.#replaced = null;
    await removeLeft(this.#files, this.#folder, this.#named?.at ?? 0);
  }

  /**
   * Removes the segments whose records may all be missing and that hold none behind `until`, oldest first, so that whatever is left is one chain.
   * Nobody reads them meanwhile. @returns those removed. Rejects with the disk's own errors
   */
  async prune(until: number): Promise<readonly Segment[]> {
    const removed: Segment[] = [];
    for (;;) {
      // Before the next one: names come back after a power cut in any order, and a hole is damage. Also where the last try ended here.
      if (this.#isRemoving) await this.#files.syncFolder(this.#folder);
      this.#isRemoving = false;
      const [first, second] = this.#segments;
      const last = (second?.firstSeq ?? Number.POSITIVE_INFINITY) - 1;
      if (first === undefined || last > until || last > (this.#base?.until.seq ?? 0)) return removed;
      await removeIfThere(this.#files, first.file);
      // At once: whatever fails from here on, nobody looks for it again.
      this.#segments.shift();
      this.#isRemoving = true;
      removed.push(first);
    }
  }

  /** What `open` did not read: this record and all before it; START, or what the oldest segment continues: it read everything. */
  get verifiedAfter(): Position {
    return this.#verifiedAfter;
  }

  /** Where its files lie. */
  get folder(): string {
    return this.#folder;
  }

  /** The files that its records lie in, oldest first. */
  get segments(): readonly Segment[] {
    return this.#segments;
  }

  /**
   * Makes one record durable and resolves with its position: from then on it is acknowledged (I6). One call at a time;
   * `payload` is at most MAX_PAYLOAD_BYTES. After any failure this and every later call rejects with JournalWriteError, because
   * what reached the disk is unknown and a retried sync lies: stop the process.
   */
  async append(payload: Uint8Array): Promise<Position> {
    assert(this.#writer, 'append needs an open journal that is not read-only');
    assert(this.#inFlight === null, 'append is called one at a time');
    assert(payload.length <= MAX_PAYLOAD_BYTES, 'a record is at most MAX_PAYLOAD_BYTES long');
    if (this.#failure) throw this.#failure;
    this.#inFlight = this.#writer.append(this.#position, payload, this.#appending);
    try {
      return await this.#inFlight;
    } catch (cause) {
      this.#failure = new JournalWriteError(this.#folder, cause);
      throw this.#failure;
    } finally {
      this.#inFlight = null;
    }
  }

  /**
   * The records from `fromSeq` (default: the first) to the position at the time of the call, read and verified again from the
   * start of the segment that holds the first. Throws JournalCorrupt.
   */
  async *read(fromSeq = 1): AsyncGenerator<JournalRecord, void, undefined> {
    const until = this.#position;
    if (fromSeq > until.seq) return;
    const cursor = new JournalCursor(this.#files, this.#folder, [...this.#segments], fromSeq, this.#pruned);
    try {
      while (cursor.last.seq < until.seq) {
        const records = await cursor.next(until.seq);
        if (cursor.stop) throw new JournalCorrupt(cursor.stop);
        for (const record of records) if (record.seq >= fromSeq) yield record;
      }
      if (cursor.last.hash !== until.hash) {
        throw new JournalCorrupt({ file: headPath(this.#folder), seq: until.seq, reason: 'HEAD_MISMATCH' });
      }
    } finally {
      await cursor.close();
    }
  }

  /** Waits for an append that is under way and closes the files. */
  async close(): Promise<void> {
    await this.#inFlight?.catch(() => {});
    const writer = this.#writer;
    this.#writer = null;
    await writer?.close();
  }

  /** As it is now: it grows with the next commit. */
  #acknowledgedTail(): SegmentLength | undefined {
    return this.#writer?.tail;
  }
}

const JOURNAL_FOLDER = 'journal';

/** Small enough to copy and to read in a second, large enough that a site has few. */
const DEFAULT_SEGMENT_BYTES = 64 * 1024 * 1024;

async function makeFolder(files: FileSystem, parent: string, folder: string): Promise<void> {
  await files.makeFolder(folder);
  await files.syncFolder(parent);
}

async function prepare(
  files: FileSystem,
  folder: string,
  recovery: Recovery,
  segmentBytes: number,
): Promise<SegmentWriter> {
  await mend(files, folder, recovery);
  return await SegmentWriter.open(files, folder, recovery, segmentBytes);
}

async function writing<T>(folder: string, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (cause) {
    throw new JournalWriteError(folder, cause);
  }
}

function report(options: JournalOptions, folder: string, recovery: Recovery): void {
  for (const { file, seq, bytes } of recovery.cuts) options.onCut?.({ file, seq, bytes });
  if (typeof recovery.head !== 'number') return;
  options.onMend?.({ file: headPath(folder), seq: recovery.position.seq });
}
