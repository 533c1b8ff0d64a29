import type { FileSystem, OpenFile } from './files.js';
import { type CorruptReason, JournalCorrupt } from './journal-errors.js';
import {
  asBuffer,
  decodeRecord,
  decodeSegmentHeader,
  type JournalRecord,
  MAX_PAYLOAD_BYTES,
  payloadLength,
  RECORD_HEADER_BYTES,
  SEGMENT_HEADER_BYTES,
} from './journal-format.js';
import type { Position } from './position.js';

/** A segment file and the sequence that its name gives to its first record. */
export interface Segment {
  readonly file: string;
  readonly firstSeq: number;
}

/** Read this much at once: enough to hide the cost of a read, little enough to stay out of the way. */
const CHUNK_BYTES = 1024 * 1024;

/**
 * Reads one segment from its beginning, a chunk at a time, and verifies every record: complete, checksum, sequence, chain.
 * It stops before the first record that does not check and says why in `fault`; whether that is a torn write or a damaged
 * journal is for the caller to say, who knows the head.
 */
export class SegmentReader {
  readonly file: string;
  /** Size of the file when it was opened, bytes; what is appended later is not read. */
  readonly size: number;
  readonly #handle: OpenFile;
  #last: Position;
  #fault: CorruptReason | null = null;
  /** Bytes of the file from `#windowStart`; the next record begins at `#at` in them. */
  #window: Buffer = Buffer.alloc(0);
  #windowStart = 0;
  #at = 0;

  /** Continues `last`; without it, whatever the header of the segment says it continues. */
  static async open(files: FileSystem, segment: Segment, last?: Position): Promise<SegmentReader> {
    const handle = await files.open(segment.file, 'read');
    try {
      const reader = new SegmentReader(segment, handle, await handle.size());
      await reader.#readHeader(segment, last);
      return reader;
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** From the middle: the record that begins at byte `offset` must continue `after`, and so on from there. */
  static async openAt(
    files: FileSystem,
    segment: Segment,
    { offset, after }: { readonly offset: number; readonly after: Position },
  ): Promise<SegmentReader> {
    const handle = await files.open(segment.file, 'read');
    try {
      const reader = new SegmentReader(segment, handle, await handle.size());
      reader.#windowStart = offset;
      reader.#last = after;
      return reader;
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  private constructor(segment: Segment, handle: OpenFile, size: number) {
    this.file = segment.file;
    this.size = size;
    this.#handle = handle;
    this.#last = { seq: segment.firstSeq - 1, hash: '' };
  }

  /** The last verified record. */
  get last(): Position {
    return { seq: this.#last.seq, hash: this.#last.hash };
  }

  /** Where the last verified record ends, bytes from the start of the file. */
  get end(): number {
    return this.#windowStart + this.#at;
  }

  /** Why the bytes at `end` are not the next record; null while they are, or when the file ends there. */
  get fault(): CorruptReason | null {
    return this.#fault;
  }

  /** The next verified records, none beyond sequence `upTo`. Empty: at `upTo`, at the end of the file, or at a fault. */
  async next(upTo: number): Promise<JournalRecord[]> {
    const records: JournalRecord[] = [];
    while (records.length === 0 && this.#fault === null && this.#last.seq < upTo && this.end < this.size) {
      this.#parse(upTo, records);
      if (records.length === 0 && this.#fault === null) await this.#fill(this.#bytesWanted());
    }
    return records;
  }

  close(): Promise<void> {
    return this.#handle.close();
  }

  async #readHeader(segment: Segment, last: Position | undefined): Promise<void> {
    await this.#fill(SEGMENT_HEADER_BYTES);
    const continued = decodeSegmentHeader(this.#window.subarray(0, SEGMENT_HEADER_BYTES));
    if (continued === null) this.#fault = 'SEGMENT_HEADER';
    else if (continued.seq !== segment.firstSeq - 1) this.#fault = 'OUT_OF_ORDER';
    else if (last && continued.hash !== last.hash) this.#fault = 'CHAIN';
    else {
      this.#last = continued;
      this.#at = SEGMENT_HEADER_BYTES;
    }
  }

  /** Takes every record that lies in the window as a whole. */
  #parse(upTo: number, records: JournalRecord[]): void {
    while (this.#last.seq < upTo) {
      const wanted = this.#bytesWanted();
      if (wanted > RECORD_HEADER_BYTES + MAX_PAYLOAD_BYTES) this.#fault = 'TOO_LONG';
      if (this.#fault !== null || this.#at + wanted > this.#window.length) return;
      const record = decodeRecord(this.#window, this.#at, this.#last);
      if (typeof record === 'string') {
        this.#fault = record;
        return;
      }
      records.push(record);
      this.#last = record;
      this.#at += wanted;
    }
  }

  /** Bytes from `end` that must be in the window to judge the next record: its header first, then all of it. */
  #bytesWanted(): number {
    if (this.#window.length - this.#at < RECORD_HEADER_BYTES) return RECORD_HEADER_BYTES;
    return RECORD_HEADER_BYTES + payloadLength(this.#window, this.#at);
  }

  /** Moves the window on so that it begins at `end` and holds `wanted` bytes, or sets the fault that forbids it. */
  async #fill(wanted: number): Promise<void> {
    if (this.end + wanted > this.size) {
      this.#fault = 'CUT_SHORT';
      return;
    }
    const rest = this.#window.subarray(this.#at);
    const from = this.end + rest.length;
    // A new buffer each time, never reused: records handed out are views of it.
    const length = Math.min(Math.max(CHUNK_BYTES, wanted - rest.length), this.size - from);
    const chunk = await this.#read(from, length);
    this.#windowStart = this.end;
    this.#at = 0;
    this.#window = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
  }

  async #read(position: number, length: number): Promise<Buffer> {
    try {
      const bytes = await this.#handle.read(position, length);
      if (bytes.length === length) return asBuffer(bytes);
    } catch (cause) {
      throw this.#unreadable(cause);
    }
    throw this.#unreadable(new Error('the file became shorter while it was read'));
  }

  #unreadable(cause: unknown): JournalCorrupt {
    return new JournalCorrupt({ file: this.file, seq: this.#last.seq + 1, reason: 'UNREADABLE' }, { cause });
  }
}
