import { Journal, type JournalOptions, type JournalRecord } from '@berth/server/store/journal';
import type { FaultyFiles } from './faulty-files.js';

export const DATA = '/data';
export const HEAD = '/data/journal/head';

export function segmentFile(firstSeq: number): string {
  return `/data/journal/${String(firstSeq).padStart(20, '0')}.log`;
}

/** What the records of a test say: record `seq` of any journal here has this payload. */
export function payloadOf(seq: number): Buffer {
  return Buffer.from(JSON.stringify({ change: seq, pad: 'x'.repeat((seq * 7) % 23) }));
}

export interface Opened {
  readonly journal: Journal;
  readonly records: JournalRecord[];
  readonly cuts: { file: string; seq: number; bytes: number }[];
  readonly mended: { file: string; seq: number }[];
}

export async function openOn(files: FaultyFiles, options: Partial<JournalOptions> = {}): Promise<Opened> {
  const records: JournalRecord[] = [];
  const cuts: Opened['cuts'] = [];
  const mended: Opened['mended'] = [];
  const journal = await Journal.open({
    files,
    folder: DATA,
    onRecord: (record) => records.push(record),
    onCut: (cut) => cuts.push(cut),
    onMend: (mend) => mended.push(mend),
    ...options,
  });
  return { journal, records, cuts, mended };
}

/** Appends the records after the journal's position up to `seq`. */
export async function appendUpTo(journal: Journal, seq: number): Promise<void> {
  while (journal.position.seq < seq) await journal.append(payloadOf(journal.position.seq + 1));
}

/** A disk with a closed journal of `count` records, `perSegment` records to a segment. */
export async function written(
  files: FaultyFiles,
  count: number,
  segmentBytes = 1 << 20,
): Promise<FaultyFiles> {
  await files.makeFolder(DATA);
  const { journal } = await openOn(files, { segmentBytes });
  await appendUpTo(journal, count);
  await journal.close();
  return files;
}

export async function collect(records: AsyncIterable<JournalRecord>): Promise<JournalRecord[]> {
  const all: JournalRecord[] = [];
  for await (const record of records) all.push(record);
  return all;
}
