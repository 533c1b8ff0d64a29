import { join } from 'node:path';
import type { FileSystem, OpenFile } from './files.js';
import { writeHead } from './head.js';
import { encodeRecord, encodeSegmentHeader, SEGMENT_HEADER_BYTES, segmentName } from './journal-format.js';
import { headPath, type Recovery } from './journal-recovery.js';
import type { Position } from './position.js';
import type { Segment } from './segment-reader.js';

/** The segment that is written, and where its last acknowledged record ends. */
interface Tail {
  readonly file: OpenFile;
  readonly firstSeq: number;
  bytes: number;
}

/** What its owner keeps of it. */
interface Appending {
  /** A segment was begun for the record, and is durable. */
  begun(segment: Segment): void;
  /** The record is. */
  acknowledged(position: Position): void;
}

/** Makes records durable, one at a time, and begins a segment when the last one is full. After a failure it is not used again. */
export class SegmentWriter {
  readonly #files: FileSystem;
  readonly #folder: string;
  readonly #segmentBytes: number;
  readonly #head: OpenFile;
  #tail: Tail | null;

  /** Goes on where a journal ends that was read and mended. Rejects with the disk's own errors */
  static async open(
    files: FileSystem,
    folder: string,
    { segments, end }: Pick<Recovery, 'segments' | 'end'>,
    segmentBytes: number,
  ): Promise<SegmentWriter> {
    const head = await files.open(headPath(folder), 'write');
    const last = segments.at(-1);
    if (!end || !last) return new SegmentWriter(files, folder, segmentBytes, head, null);
    const tail = { file: await files.open(end.file, 'write'), firstSeq: last.firstSeq, bytes: end.offset };
    return new SegmentWriter(files, folder, segmentBytes, head, tail);
  }

  private constructor(
    files: FileSystem,
    folder: string,
    segmentBytes: number,
    head: OpenFile,
    tail: Tail | null,
  ) {
    this.#files = files;
    this.#folder = folder;
    this.#segmentBytes = segmentBytes;
    this.#head = head;
    this.#tail = tail;
  }

  /** The segment that is written, as it is now: it grows with the next record. */
  get tail(): { readonly firstSeq: number; readonly bytes: number } | undefined {
    return this.#tail === null ? undefined : { firstSeq: this.#tail.firstSeq, bytes: this.#tail.bytes };
  }

  /** Makes the record after `last` durable. Rejects with the disk's own errors */
  async append(last: Position, payload: Uint8Array, { begun, acknowledged }: Appending): Promise<Position> {
    const { bytes, hash } = encodeRecord(last, payload);
    const tail = await this.#tailFor(last, begun);
    await tail.file.write(bytes, tail.bytes);
    // Before the head is touched: a damaged head slot proves that its record is whole (journal-recovery.ts).
    await tail.file.datasync();
    const position = { seq: last.seq + 1, hash };
    await writeHead(this.#head, position);
    // In one turn: what counts of the segment is what the position says, whenever somebody looks.
    tail.bytes += bytes.length;
    acknowledged(position);
    return position;
  }

  async close(): Promise<void> {
    await this.#tail?.file.close();
    await this.#head.close();
  }

  async #tailFor(last: Position, begun: Appending['begun']): Promise<Tail> {
    if (this.#tail && this.#tail.bytes < this.#segmentBytes) return this.#tail;
    await this.#tail?.file.close();
    this.#tail = null;
    const firstSeq = last.seq + 1;
    const path = join(this.#folder, segmentName(firstSeq));
    const file = await this.#files.open(path, 'create');
    this.#tail = { file, firstSeq, bytes: SEGMENT_HEADER_BYTES };
    await file.write(encodeSegmentHeader(last), 0);
    // The segment and its name are durable before it is used: a record in it must not vanish with its file.
    await file.sync();
    await this.#files.syncFolder(this.#folder);
    begun({ file: path, firstSeq });
    return this.#tail;
  }
}
