import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { FileSystem } from '../store/files.js';
import { readText, writeWhole } from '../store/folder-copy.js';
import { JournalCorrupt } from '../store/journal-errors.js';
import { type JournalRecord, RECORD_HEADER_BYTES } from '../store/journal-format.js';
import type { Position } from '../store/position.js';
import { type Segment, SegmentReader } from '../store/segment-reader.js';
import { entriesOf, wordsOf } from './entry.js';
import { WordSet } from './word-set.js';

/** Neighbouring records of one segment, and what is known of them without reading them. */
export interface Block {
  readonly segment: Segment;
  /** The record before its first. */
  readonly after: Position;
  /** Where its first record begins in the segment file, bytes. */
  readonly offset: number;
  /** Its last record. */
  readonly last: number;
  /** Of all its acts; `null`: one of its records does not say when it was. */
  readonly times: { readonly fromMs: number; readonly toMs: number } | null;
  readonly words: WordSet;
}

/** A segment that is not written any more. */
export interface SegmentFacts {
  readonly from: number;
  readonly last: Position;
  readonly bytes: number;
  /** The first and the last moment that its records name; `null`: none does. */
  readonly fromMs: number | null;
  readonly untilMs: number | null;
}

/** A block is full with this many records or bytes: read in a few milliseconds, and few of them to a segment. */
const BLOCK_RECORDS = 256;
const BLOCK_BYTES = 256 * 1024;
/** Or words, which a bulk job soon has: with many more, a block seems to hold whatever is looked for. */
const BLOCK_WORDS = 200;

/**
 * Blocks of the journal for whoever searches it: made when a segment is first looked at, kept in memory, and for a segment that is full on disk
 * too (`audit/<first seq>.json`). All of it can be thrown away and is made again. What is read by a block is verified again,
 * record by record, so a wrong index can hide nothing from the chain.
 */
export class BlockIndex {
  readonly #files: FileSystem;
  readonly #folder: string;
  readonly #segments = new Map<number, Indexed>();
  #recordsRead = 0;

  /** @param folder of the index; made when there is something to keep */
  constructor(files: FileSystem, folder: string) {
    this.#files = files;
    this.#folder = folder;
  }

  /** Records that were read to make the index, ever: what a search has cost. */
  get recordsRead(): number {
    return this.#recordsRead;
  }

  /** The blocks of a segment up to record `upTo`, in order. @param full nothing more is written to it. @throws JournalCorrupt */
  async blocksOf(segment: Segment, upTo: number, full: boolean): Promise<readonly Block[]> {
    const known = this.#segments.get(segment.firstSeq) ?? (full ? await this.#load(segment, upTo) : null);
    const indexed = known ?? newIndexed(segment);
    this.#segments.set(segment.firstSeq, indexed);
    if (indexed.last.seq < upTo) await this.#extend(indexed, upTo);
    if (full && !indexed.isKept) await this.#save(indexed);
    return indexed.blocks.map(asBlock);
  }

  /** What a segment that is full holds. @throws JournalCorrupt */
  async factsOf(segment: Segment, upTo: number): Promise<SegmentFacts> {
    await this.blocksOf(segment, upTo, true);
    const { blocks, last, end } = this.#segments.get(segment.firstSeq)!;
    const times = blocks.map((block) => block.times).filter((known) => known !== null);
    const fromMs = times.length === 0 ? null : Math.min(...times.map((known) => known.fromMs));
    const untilMs = times.length === 0 ? null : Math.max(...times.map((known) => known.toMs));
    return { from: segment.firstSeq, last, bytes: end, fromMs, untilMs };
  }

  /** What was kept is not true of the segment: make it again. */
  async forget({ firstSeq }: Segment): Promise<void> {
    this.#segments.delete(firstSeq);
    await this.#files.remove(this.#pathOf(firstSeq)).catch(() => {});
  }

  async #extend(indexed: Indexed, upTo: number): Promise<void> {
    const { segment, last, end } = indexed;
    const reader =
      end === 0
        ? await SegmentReader.open(this.#files, segment)
        : await SegmentReader.openAt(this.#files, segment, { offset: end, after: last });
    try {
      if (end === 0) [indexed.last, indexed.end] = [reader.last, reader.end];
      while (indexed.last.seq < upTo) {
        const records = await reader.next(upTo);
        if (records.length === 0) throw corrupt(segment, indexed.last.seq + 1, reader);
        for (const record of records) addRecord(indexed, record);
        this.#recordsRead += records.length;
      }
    } finally {
      await reader.close();
    }
  }

  async #load(segment: Segment, upTo: number): Promise<Indexed | null> {
    try {
      const text = await readText(this.#files, this.#pathOf(segment.firstSeq));
      const kept = text === null ? null : readKept(text, segment);
      return kept !== null && kept.last.seq === upTo ? kept : null;
    } catch {
      return null;
    }
  }

  /** Costs only the next start some time where it cannot be written. */
  async #save(indexed: Indexed): Promise<void> {
    indexed.isKept = true;
    try {
      await this.#files.makeFolder(this.#folder);
      await writeWhole(this.#files, this.#pathOf(indexed.segment.firstSeq), keptText(indexed));
    } catch {
      // The journal is what counts.
    }
  }

  #pathOf(firstSeq: number): string {
    return join(this.#folder, `${String(firstSeq).padStart(20, '0')}.json`);
  }
}

/** Why no more records come: the reader knows, unless the file ends where it must not. */
export function corrupt(segment: Segment, seq: number, { fault }: SegmentReader): JournalCorrupt {
  return new JournalCorrupt({ file: segment.file, seq, reason: fault ?? 'ENDS_EARLY' });
}

/** A block that grows. */
interface Growing {
  readonly after: Position;
  readonly offset: number;
  last: number;
  records: number;
  bytes: number;
  times: { fromMs: number; toMs: number } | null;
  /** One of its records does not say when it was. */
  timeless: boolean;
  readonly words: WordSet;
  readonly segment: Segment;
}

interface Indexed {
  readonly segment: Segment;
  readonly blocks: Growing[];
  last: Position;
  /** Where the next record begins; 0: not even the header was read. */
  end: number;
  /** It is in its file, or it was tried. */
  isKept: boolean;
}

function newIndexed(segment: Segment): Indexed {
  return { segment, blocks: [], last: { seq: segment.firstSeq - 1, hash: '' }, end: 0, isKept: false };
}

function asBlock({ segment, after, offset, last, times, timeless, words }: Growing): Block {
  return { segment, after, offset, last, times: timeless ? null : times, words };
}

function addRecord(indexed: Indexed, record: JournalRecord): void {
  const bytes = RECORD_HEADER_BYTES + record.payload.length;
  const block = roomFor(indexed, bytes);
  for (const entry of entriesOf(record.seq, record.payload)) {
    for (const word of wordsOf(entry)) block.words.add(word);
    if (entry.atMs === null) block.timeless = true;
    else {
      const { fromMs, toMs } = block.times ?? { fromMs: entry.atMs, toMs: entry.atMs };
      block.times = { fromMs: Math.min(fromMs, entry.atMs), toMs: Math.max(toMs, entry.atMs) };
    }
  }
  block.last = record.seq;
  block.records += 1;
  block.bytes += bytes;
  indexed.last = { seq: record.seq, hash: record.hash };
  indexed.end += bytes;
}

function roomFor({ segment, blocks, last, end }: Indexed, bytes: number): Growing {
  const open = blocks.at(-1);
  const isOpen = open !== undefined && open.records < BLOCK_RECORDS && open.words.size < BLOCK_WORDS;
  if (isOpen && open.bytes + bytes <= BLOCK_BYTES) return open;
  const started = { after: last, offset: end, last: last.seq, records: 0, bytes: 0, times: null };
  const block: Growing = { segment, ...started, timeless: false, words: new WordSet() };
  blocks.push(block);
  return block;
}

/** Raised with the meaning of a word, a block or a fact: what an older server kept is made again. */
const KEPT_VERSION = 1;

function keptText({ blocks, last, end }: Indexed): string {
  const rows = blocks.map(({ segment: _, words, ...row }) => ({ ...row, words: words.text }));
  const body = JSON.stringify({ version: KEPT_VERSION, last, end, blocks: rows });
  return `${sumOf(body)} ${body}\n`;
}

/** `null` for what is damaged or of another version. What its own checksum covers is what this file wrote. */
function readKept(text: string, segment: Segment): Indexed | null {
  const [sum, body] = [text.slice(0, 64), text.slice(65, -1)];
  if (sum !== sumOf(body)) return null;
  const kept = JSON.parse(body) as {
    version: number;
    last: Position;
    end: number;
    blocks: (Omit<Growing, 'segment' | 'words'> & { words: string })[];
  };
  if (kept.version !== KEPT_VERSION) return null;
  const blocks = kept.blocks.map((row) => ({ ...row, segment, words: new WordSet(row.words) }));
  return { segment, blocks, last: kept.last, end: kept.end, isKept: true };
}

function sumOf(body: string): string {
  return createHash('sha256').update(body).digest('hex');
}
