import { join } from 'node:path';
import { type Base, findBase, requireBound } from './base.js';
import type { FileSystem } from './files.js';
import { createHead, mendHead, readHead } from './head.js';
import { JournalCursor, listSegments, type RecordEnd } from './journal-cursor.js';
import { type CorruptReason, JournalCorrupt } from './journal-errors.js';
import { type JournalRecord, SEGMENT_HEADER_BYTES } from './journal-format.js';
import { type Position, START } from './position.js';
import { sizeOfFile } from './read-file.js';
import type { Segment } from './segment-reader.js';

/**
 * What a crash may leave, and what is done about it. Anything else is refused (DESIGN 2: nothing is repaired silently).
 *
 * A record is acknowledged once the head names it, so whatever follows the head was never acknowledged and is cut, whether it
 * is torn or complete: one rule, and no client got a reply. At most one record can be there, because the next one is only
 * written after the head: more mean that the head is older than the records, which no crash makes.
 *
 * The exception is a damaged head slot. It held the record before the head, or the torn acknowledgement of the record after
 * it, or that acknowledgement, damaged later: these cannot be told apart. A head slot is only touched once its record is
 * synced, so that record is kept when it is there (at worst a client gets on a retry what it missed: I7), its absence proves
 * that it was never written, and a broken one is refused (I6).
 */
export interface Recovery {
  readonly position: Position;
  /** The segment that the next record goes to, or null for a new one. */
  readonly end: RecordEnd | null;
  readonly segments: Segment[];
  /** Everything behind this record was verified; START, or what the oldest segment continues: everything. */
  readonly verifiedAfter: Position;
  /** The last record that may be missing; START: none. */
  readonly pruned: Position;
  /** What a pruned journal is rebuilt from; null: there is none, or the caller needs none and it does not check. */
  readonly base: Base | null;
  readonly cuts: readonly PlannedCut[];
  /** What to do to the head file: create it, mend a slot, or nothing. */
  readonly head: 'CREATE' | 0 | 1 | null;
}

/** Bytes that were never acknowledged, removed from `file`; `seq` is the record they began. */
export interface Cut {
  readonly file: string;
  readonly seq: number;
  readonly bytes: number;
}

/** With the bytes of the file that stay; none stay of a file that is removed. */
interface PlannedCut extends Cut {
  readonly keepBytes: number;
}

export interface Inspection {
  readonly files: FileSystem;
  /** The folder that holds the segments and the head. */
  readonly folder: string;
  /** The journal may be written by another process meanwhile: what follows the head is then no concern of ours. */
  readonly readOnly: boolean;
  readonly onRecord: (record: JournalRecord) => void;
  /** See JournalOptions. */
  readonly from?: ((head: number) => number) | undefined;
  readonly pruned?: Position | undefined;
}

export function headPath(folder: string): string {
  return join(folder, 'head');
}

/** Verifies the journal, whole or `from` a record on, and plans what is to be mended; changes nothing. Throws JournalCorrupt. */
export async function inspect(inspection: Inspection): Promise<Recovery> {
  const { files, folder, from = () => 1 } = inspection;
  // The head before the list: a process that writes meanwhile only adds records after this head.
  const head = await readHead(files, headPath(folder));
  const segments = await listSegments(files, folder);
  if (typeof head === 'string') return planNew(inspection, segments, head);
  const { base, pruned } = await pruning(inspection, head.position);
  const cursor = new JournalCursor(files, folder, segments, Math.max(1, from(head.position.seq)), pruned);
  try {
    await deliver(cursor, head.position.seq, inspection, base);
    requireBound(base, cursor.after);
    requireContinued(cursor.after, pruned, segments);
    if (cursor.last.hash !== head.position.hash) throw mismatch(cursor, folder);
    const headEnd = cursor.end;
    const kept = head.damagedSlot !== null && (await keepUncertain(cursor, inspection));
    const end = kept ? cursor.end : headEnd;
    const position = cursor.last;
    if (!inspection.readOnly) await refuseStaleHead(cursor, segments, position, folder);
    const cuts = await planCuts(files, segments, position, end);
    const remaining = segments.filter((segment) => segment.firstSeq <= position.seq);
    const { after: verifiedAfter } = cursor;
    const found = { position, end, segments: remaining, verifiedAfter, pruned, base };
    return { ...found, cuts, head: head.damagedSlot };
  } finally {
    await cursor.close();
  }
}

/** Does what `recovery` plans. Every step leaves a journal that opens to the same position, should it be the last one. */
export async function mend(files: FileSystem, folder: string, recovery: Recovery): Promise<void> {
  for (const cut of recovery.cuts) await cutFile(files, cut);
  if (recovery.cuts.some((cut) => cut.keepBytes === 0)) await files.syncFolder(folder);
  if (recovery.head === 'CREATE') await createHead(files, folder, headPath(folder));
  else if (recovery.head !== null) await mendHeadFile(files, folder, recovery.position, recovery.head);
}

/** What was pruned, by the base or by what the caller knows: then a base that does not check is for later to tell (decision 0018). */
async function pruning(
  { files, folder, pruned }: Inspection,
  head: Position,
): Promise<Pick<Recovery, 'base' | 'pruned'>> {
  const base = await findBase(files, folder).catch((error: unknown) => {
    if (error instanceof JournalCorrupt && pruned !== undefined) return null;
    throw error;
  });
  if (base !== null && base.at.seq > head.seq)
    throw new JournalCorrupt({ file: base.file, seq: base.at.seq, reason: 'BASE_FOREIGN' });
  const known = [START, pruned ?? START, base?.until ?? START];
  return { base, pruned: known.reduce((a, b) => (b.seq > a.seq ? b : a)) };
}

/** What the oldest file continues is what was pruned. Where the base says otherwise, that is told before. */
function requireContinued(after: Position, pruned: Position, segments: readonly Segment[]): void {
  if (after.seq === 0 || after.seq !== pruned.seq || after.hash === pruned.hash) return;
  const file = segments.find(({ firstSeq }) => firstSeq === after.seq + 1)!.file;
  throw new JournalCorrupt({ file, seq: after.seq + 1, reason: 'CHAIN' });
}

async function deliver(
  cursor: JournalCursor,
  upTo: number,
  inspection: Inspection,
  base: Base | null,
): Promise<void> {
  while (cursor.last.seq < upTo) {
    const records = await cursor.next(upTo);
    for (const record of records) {
      requireBound(base, record);
      inspection.onRecord(record);
    }
    if (cursor.stop) throw new JournalCorrupt(cursor.stop);
  }
}

/** True when the record after the head is there and so is kept; see Recovery. */
async function keepUncertain(cursor: JournalCursor, inspection: Inspection): Promise<boolean> {
  const [record] = await cursor.next(cursor.last.seq + 1);
  if (record) inspection.onRecord(record);
  else if (cursor.stop && cursor.stop.reason !== 'ENDS_EARLY') throw new JournalCorrupt(cursor.stop);
  return record !== undefined;
}

/** Two complete records after the head, or a segment that only a later record could have begun: see Recovery. */
async function refuseStaleHead(
  cursor: JournalCursor,
  segments: readonly Segment[],
  position: Position,
  folder: string,
): Promise<void> {
  const later = segments.some((segment) => segment.firstSeq > position.seq + 1);
  const first = await cursor.next(position.seq + 1);
  const second = first.length === 0 ? [] : await cursor.next(position.seq + 2);
  if (!later && second.length === 0) return;
  throw new JournalCorrupt({ file: headPath(folder), seq: position.seq + 1, reason: 'HEAD_STALE' });
}

function mismatch(cursor: JournalCursor, folder: string): JournalCorrupt {
  const file = cursor.end?.file ?? headPath(folder);
  return new JournalCorrupt({ file, seq: cursor.last.seq, reason: 'HEAD_MISMATCH' });
}

/** There is no head: fine when a first start was cut off before it wrote a record, else the journal lost its head. */
async function planNew(
  { files, folder }: Inspection,
  segments: Segment[],
  reason: CorruptReason,
): Promise<Recovery> {
  const cuts = await planCuts(files, segments, START, null);
  const isEmpty = cuts.every((cut) => cut.seq === 1 && cut.bytes <= SEGMENT_HEADER_BYTES);
  if (!isEmpty) throw new JournalCorrupt({ file: headPath(folder), seq: 0, reason });
  const nothing = { position: START, verifiedAfter: START, pruned: START, base: null };
  return { ...nothing, end: null, segments: [], cuts, head: 'CREATE' };
}

async function planCuts(
  files: FileSystem,
  segments: readonly Segment[],
  position: Position,
  end: RecordEnd | null,
): Promise<PlannedCut[]> {
  const cuts: PlannedCut[] = [];
  if (end && end.fileSize > end.offset) {
    const bytes = end.fileSize - end.offset;
    cuts.push({ file: end.file, seq: position.seq + 1, bytes, keepBytes: end.offset });
  }
  for (const { file, firstSeq } of segments) {
    if (firstSeq > position.seq)
      cuts.push({ file, seq: firstSeq, bytes: await sizeOfFile(files, file), keepBytes: 0 });
  }
  return cuts;
}

async function cutFile(files: FileSystem, { file: path, keepBytes }: PlannedCut): Promise<void> {
  if (keepBytes === 0) return files.remove(path);
  const file = await files.open(path, 'write');
  try {
    await file.truncate(keepBytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function mendHeadFile(
  files: FileSystem,
  folder: string,
  position: Position,
  damagedSlot: 0 | 1,
): Promise<void> {
  const file = await files.open(headPath(folder), 'write');
  try {
    await mendHead(file, position, damagedSlot);
  } finally {
    await file.close();
  }
}
