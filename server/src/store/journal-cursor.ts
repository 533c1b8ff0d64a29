import { join } from 'node:path';
import type { FileSystem } from './files.js';
import type { CorruptReason } from './journal-errors.js';
import { type JournalRecord, segmentFirstSeq, segmentName } from './journal-format.js';
import { type Position, START } from './position.js';
import { type Segment, SegmentReader } from './segment-reader.js';

/** Why the cursor goes no further: `ENDS_EARLY` when nothing at all follows, otherwise what is wrong with what follows. */
export interface Stop {
  readonly file: string;
  readonly seq: number;
  readonly reason: CorruptReason;
}

/** The end of a verified record: the segment file that holds it and the byte after it. */
export interface RecordEnd {
  readonly file: string;
  readonly offset: number;
  readonly fileSize: number;
}

/** The segments in `folder`, oldest first. Other names are not ours and are left alone. */
export async function listSegments(files: FileSystem, folder: string): Promise<Segment[]> {
  const segments: Segment[] = [];
  for (const name of await files.list(folder)) {
    const firstSeq = segmentFirstSeq(name);
    if (firstSeq !== null) segments.push({ file: join(folder, name), firstSeq });
  }
  return segments.sort((a, b) => a.firstSeq - b.firstSeq);
}

/** Walks the records of all segments in order as one chain; see SegmentReader for what is verified. */
export class JournalCursor {
  readonly #files: FileSystem;
  readonly #folder: string;
  readonly #segments: readonly Segment[];
  #nextSegment: number;
  #reader: SegmentReader | null = null;
  #stop: Stop | null = null;
  /** Null until the first segment is open: then its header says what it continues. */
  #last: Position | null;
  #after: Position = START;

  /**
   * Starts at the first record of the segment that holds record `seq`; segments before it are not looked at, and the chain is
   * verified from there on. From record 1 the whole chain is; a journal that begins later does not have record 1.
   * @param pruned the last record that may be missing: then the journal may begin with the one after it, or earlier
   */
  constructor(
    files: FileSystem,
    folder: string,
    segments: readonly Segment[],
    seq: number,
    pruned: Position = START,
  ) {
    this.#files = files;
    this.#folder = folder;
    this.#segments = segments;
    this.#nextSegment = Math.max(
      0,
      segments.findLastIndex((segment) => segment.firstSeq <= seq),
    );
    this.#last = startOf(segments[this.#nextSegment], seq, pruned);
    this.#after = this.#last ?? START;
  }

  /** The last verified record; before the first call of `next`, where it starts. */
  get last(): Position {
    return this.#last ?? START;
  }

  /** The record before the first that it reads, by the header of that one's segment; known once `next` was called. */
  get after(): Position {
    return this.#after;
  }

  /** Where the last verified record ends, or null when no record was read yet. */
  get end(): RecordEnd | null {
    return this.#reader && { file: this.#reader.file, offset: this.#reader.end, fileSize: this.#reader.size };
  }

  /** Set once `next` returned nothing although more was asked for. */
  get stop(): Stop | null {
    return this.#stop;
  }

  /** The next verified records, none beyond sequence `upTo`. Empty: at `upTo`, or at `stop`. */
  async next(upTo: number): Promise<JournalRecord[]> {
    while (this.#stop === null && (this.#last === null || this.#last.seq < upTo)) {
      const records = this.#reader ? await this.#reader.next(upTo) : [];
      if (this.#reader && records.length > 0) {
        this.#last = this.#reader.last;
        return records;
      }
      await this.#advance();
    }
    return [];
  }

  async close(): Promise<void> {
    const reader = this.#reader;
    this.#reader = null;
    await reader?.close();
  }
  /** Opens the next segment, or says why there is nothing to open. The reader stays where it is in the second case. */
  async #advance(): Promise<void> {
    const segment = this.#segments[this.#nextSegment];
    this.#stop = this.#whyStop(segment);
    if (this.#stop !== null || segment === undefined) return;
    const reader = await SegmentReader.open(this.#files, segment, this.#last ?? undefined);
    await this.#reader?.close();
    this.#reader = reader;
    this.#nextSegment += 1;
    if (this.#last === null) this.#after = reader.last;
    this.#last ??= reader.last;
  }

  #whyStop(next: Segment | undefined): Stop | null {
    const seq = (this.#last?.seq ?? 0) + 1;
    const expected = join(this.#folder, segmentName(seq));
    if (this.#reader?.fault) return { file: this.#reader.file, seq, reason: this.#reader.fault };
    if (next === undefined) return { file: this.#reader?.file ?? expected, seq, reason: 'ENDS_EARLY' };
    if (this.#last === null || next.firstSeq === seq) return null;
    if (next.firstSeq > seq) return { file: expected, seq, reason: 'SEGMENT_MISSING' };
    return { file: next.file, seq, reason: 'OUT_OF_ORDER' };
  }
}

/** What the first segment that is read continues; null: only its header says so. */
function startOf(first: Segment | undefined, seq: number, pruned: Position): Position | null {
  if (first === undefined) return pruned;
  if (first.firstSeq === 1) return START;
  // A later segment than the one that was asked for cannot vouch for what it continues, unless that may be missing.
  return first.firstSeq > seq && first.firstSeq > pruned.seq + 1 ? pruned : null;
}
