import type { FileSystem } from '../store/files.js';
import { JournalCorrupt } from '../store/journal-errors.js';
import type { JournalRecord } from '../store/journal-format.js';
import type { Position } from '../store/position.js';
import { type Segment, SegmentReader } from '../store/segment-reader.js';
import { type Block, BlockIndex, corrupt, type SegmentFacts } from './block-index.js';
import { type Entry, entriesOf, matches, type Place, type Query, queryWords } from './entry.js';

/** What the audit needs of the journal: what is acknowledged, and the files it lies in, oldest first. */
export interface AuditedJournal {
  readonly position: Position;
  readonly segments: readonly Segment[];
}

export interface Found {
  readonly entries: Entry[];
  /** Where to go on; `null`: there is nothing more. Fewer entries than asked for say nothing: a search does only so much at once. */
  readonly next: Place | null;
  /** Up to here everything was looked at, or was there to be found: what comes later stands after it. */
  readonly upTo: Place;
}

/** Bytes of one record, as they lie in the journal: all of them, or a part of a long one. */
export interface Part {
  readonly seq: number;
  /** The hash of the record before it, hex. */
  readonly prev: string;
  readonly offset: number;
  /** Of the whole payload, bytes. */
  readonly size: number;
  readonly bytes: Uint8Array;
}

export interface From {
  readonly seq: number;
  readonly offset: number;
}

/** Records that one search reads before it answers with what it has, and at most a segment more where its index has yet to be made. */
const RECORDS_PER_SEARCH = 8192;

/** Searches the journal for people, and hands it out as it is. One at a time: it reads files, and leases come first. */
export class AuditLog {
  readonly #files: FileSystem;
  readonly #journal: AuditedJournal;
  readonly #index: BlockIndex;
  readonly #recordsPerSearch: number;
  #turn: Promise<unknown> = Promise.resolve();

  /** @param recordsPerSearch other than in a test, as it is */
  constructor(
    files: FileSystem,
    journal: AuditedJournal,
    indexFolder: string,
    recordsPerSearch = RECORDS_PER_SEARCH,
  ) {
    this.#recordsPerSearch = recordsPerSearch;
    this.#files = files;
    this.#journal = journal;
    this.#index = new BlockIndex(files, indexFolder);
  }

  /** Entries that fit, newest first. @param before only those that stand before this place; `null`: from the newest. @throws JournalCorrupt */
  newest(query: Query, before: Place | null, limit: number): Promise<Found> {
    return this.#inTurn(() => this.#newest(query, before, limit));
  }

  /** Entries that fit and stand after a place, oldest first. @throws JournalCorrupt */
  after(query: Query, after: Place, limit: number): Promise<Found> {
    return this.#inTurn(() => this.#after(query, after, limit));
  }

  /** Records from a place on, up to `until`, of at most about `mostBytes` together but at least one byte. @throws JournalCorrupt */
  records(from: From, until: number, mostBytes: number): Promise<{ parts: Part[]; next: From | null }> {
    return this.#inTurn(() => this.#records(from, until, mostBytes));
  }

  /** The segments that are full, oldest first, from the one on that holds record `from`; `next`: go on with it, it is behind `from`. @throws JournalCorrupt */
  segments(
    from: number,
    most: number,
    nowMs: number,
  ): Promise<{ segments: SegmentFacts[]; next: number | null }> {
    return this.#inTurn(async () => {
      const segments: SegmentFacts[] = [];
      const budget = this.#budget();
      const full = this.#spans(this.#journal.position.seq).filter((span) => span.full);
      for (const [at, span] of full.entries()) {
        if (span.last < from) continue;
        if (segments.length === most || budget.indexed()) return { segments, next: span.segment.firstSeq };
        // Whoever asks goes on, and in this same segment if its date took too long: what was looked into until then is known.
        const next = Math.max(span.segment.firstSeq, from + 1);
        const enough = next <= span.last ? budget.indexed : () => false;
        const facts = await this.#datedFacts(full.slice(at), nowMs, enough);
        if (facts === null) return { segments, next };
        segments.push(facts);
      }
      return { segments, next: null };
    });
  }

  /**
   * A time that is yet to come is of a clock that was ahead, and says nothing of its segment: it would be kept until then. It is as old as the next
   * one that names no such time, which was written after it; before there is one, nobody can say that it is old. `null`: `enough` was read, and it
   * is not known yet.
   */
  async #datedFacts(
    [span, ...later]: readonly Span[],
    nowMs: number,
    enough: () => boolean,
  ): Promise<SegmentFacts | null> {
    const facts = await this.#index.factsOf(span!.segment, span!.last);
    if (facts.untilMs === null || facts.untilMs <= nowMs) return facts;
    let untilMs = nowMs;
    for (const { segment, last } of later) {
      if (enough()) return null;
      const next = await this.#index.factsOf(segment, last);
      if (next.untilMs === null || next.untilMs > nowMs) continue;
      untilMs = next.untilMs;
      break;
    }
    return { ...facts, untilMs, fromMs: Math.min(facts.fromMs ?? untilMs, untilMs) };
  }

  /** Removes files of the journal while nobody searches it, and what is known of them. @param remove says which it removed */
  removing(remove: () => Promise<readonly Segment[]>): Promise<readonly Segment[]> {
    return this.#inTurn(async () => {
      const removed = await remove();
      for (const segment of removed) await this.#index.forget(segment);
      return removed;
    });
  }

  async #newest(query: Query, before: Place | null, limit: number): Promise<Found> {
    const { seq } = this.#journal.position;
    const top = before === null ? seq : Math.min(before.seq, seq);
    const entries: Entry[] = [];
    const upTo = { seq, place: ALL };
    const budget = this.#budget();
    for (const span of this.#spans(seq).reverse()) {
      if (span.segment.firstSeq > top) continue;
      if (budget.indexed()) return { entries, next: { seq: span.last + 1, place: 0 }, upTo };
      for (const block of [...(await this.#blocksOf(span))].reverse()) {
        if (block.after.seq >= top || !mayHold(block, query)) continue;
        if (budget.spent()) return { entries, next: { seq: block.last + 1, place: 0 }, upTo };
        const records = await this.#read(block);
        budget.spend(records.length);
        for (const entry of records.flatMap(toEntries).reverse()) {
          if (before !== null && !isBefore(entry, before)) continue;
          if (matches(entry, query)) entries.push(entry);
          if (entries.length === limit) return { entries, next: placeOf(entry), upTo };
        }
      }
    }
    return { entries, next: null, upTo };
  }

  async #after(query: Query, after: Place, limit: number): Promise<Found> {
    const { seq } = this.#journal.position;
    const entries: Entry[] = [];
    const budget = this.#budget();
    for (const span of this.#spans(seq)) {
      if (span.last < after.seq) continue;
      if (budget.indexed())
        return { entries, next: null, upTo: { seq: span.segment.firstSeq - 1, place: ALL } };
      for (const block of await this.#blocksOf(span)) {
        if (block.last < after.seq || !mayHold(block, query)) continue;
        if (budget.spent()) return { entries, next: null, upTo: { seq: block.after.seq, place: ALL } };
        const records = await this.#read(block);
        budget.spend(records.length);
        for (const entry of records.flatMap(toEntries)) {
          if (!isBefore(after, entry) || !matches(entry, query)) continue;
          if (entries.length === limit) return { entries, next: null, upTo: placeOf(entries.at(-1)!) };
          entries.push(entry);
        }
      }
    }
    return { entries, next: null, upTo: { seq, place: ALL } };
  }

  async #records(
    from: From,
    until: number,
    mostBytes: number,
  ): Promise<{ parts: Part[]; next: From | null }> {
    const top = Math.min(until, this.#journal.position.seq);
    const parts: Part[] = [];
    let room = mostBytes;
    for (const span of this.#spans(top)) {
      if (span.last < from.seq) continue;
      for (const block of await this.#blocksOf(span)) {
        if (block.last < from.seq) continue;
        for (const record of await this.#read(block)) {
          if (record.seq < from.seq || record.seq > top) continue;
          if (room <= 0) return { parts, next: { seq: record.seq, offset: 0 } };
          const { seq, prev, payload } = record;
          // The record itself may be pruned since: of another one nothing was handed out.
          const offset = seq === from.seq ? from.offset : 0;
          // A copy: the payload is a view of what was read.
          const bytes = Uint8Array.from(payload.subarray(offset, offset + room));
          parts.push({ seq, prev, offset, size: payload.length, bytes });
          const end = offset + bytes.length;
          room -= bytes.length + PART_BYTES;
          if (end < payload.length) return { parts, next: { seq, offset: end } };
        }
      }
    }
    return { parts, next: null };
  }

  /** The segments up to record `upTo`, and the last record of each. */
  #spans(upTo: number): Span[] {
    const segments = this.#journal.segments.filter(({ firstSeq }) => firstSeq <= upTo);
    return segments.map((segment, at) => {
      const next = segments[at + 1];
      return { segment, last: next === undefined ? upTo : next.firstSeq - 1, full: next !== undefined };
    });
  }

  #blocksOf({ segment, last, full }: Span): Promise<readonly Block[]> {
    return this.#index.blocksOf(segment, last, full);
  }

  #budget(): { spend(records: number): void; spent(): boolean; indexed(): boolean } {
    const before = this.#index.recordsRead;
    let read = 0;
    return {
      spend: (records) => {
        read += records;
      },
      spent: () => read >= this.#recordsPerSearch,
      /** What making the index reads counts as well, once a segment is through. */
      indexed: () => read + this.#index.recordsRead - before >= this.#recordsPerSearch,
    };
  }

  async #read(block: Block): Promise<Chained[]> {
    const { segment, offset, after, last } = block;
    const reader = await SegmentReader.openAt(this.#files, segment, { offset, after });
    const read: Chained[] = [];
    try {
      for (let prev = after.hash; reader.last.seq < last; ) {
        const records = await reader.next(last);
        if (records.length === 0) {
          await this.#index.forget(segment);
          throw corrupt(segment, reader.last.seq + 1, reader);
        }
        for (const record of records) {
          read.push({ ...record, prev });
          prev = record.hash;
        }
      }
      return read;
    } finally {
      await reader.close();
    }
  }

  /** An index that was wrong was forgotten: once more with a new one. A journal that is wrong is so again. */
  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(async () => {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof JournalCorrupt)) throw error;
        return await work();
      }
    });
    this.#turn = mine.catch(() => {});
    return await mine;
  }
}

interface Span {
  readonly segment: Segment;
  readonly last: number;
  readonly full: boolean;
}

type Chained = JournalRecord & { readonly prev: string };

/** Behind every act of its record. */
const ALL = Number.MAX_SAFE_INTEGER;

/** What a part costs in a frame beside its bytes. */
const PART_BYTES = 120;

const toEntries = ({ seq, payload }: JournalRecord): Entry[] => entriesOf(seq, payload);

const placeOf = ({ seq, place }: Place): Place => ({ seq, place });

function isBefore(entry: Place, { seq, place }: Place): boolean {
  return entry.seq < seq || (entry.seq === seq && entry.place < place);
}

/** False when nothing in the block can fit. */
function mayHold({ words, times }: Block, query: Query): boolean {
  const { sinceMs, untilMs } = query;
  if (times !== null && sinceMs !== undefined && times.toMs < sinceMs) return false;
  if (times !== null && untilMs !== undefined && times.fromMs >= untilMs) return false;
  return queryWords(query).every((word) => words.mayHold(word));
}
