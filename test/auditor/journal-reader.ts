import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Export, recordsUpTo } from './exports.js';
import { type JournalEntry, readPayload } from './journal-entry.js';

// A second reader of the journal, from the format as it is documented (server/src/store/journal-format.ts and head.ts):
//
//     segment = "BERTHJ01" | first seq u64 | prev 32 | crc32        then records
//     record  = payload length u32 | crc32 u32 | seq u64 | prev 32 | payload      hash = SHA-256(seq, prev, payload)
//     head    = two slots, at 0 and 512: "BERTHH01" | seq u64 | hash 32 | crc32; the valid one with the higher seq counts
//
// The checksums are not looked at: the hash chain up to the head says more.

export interface JournalRead {
  /** What is acknowledged, in order. */
  readonly records: readonly JournalEntry[];
  /** Why not all up to the head can be read; null when it can. */
  readonly fault: string | null;
  /** So many of the records, from the first on, are in exports alone: they were pruned. Left out: none. */
  readonly pruned?: number;
}

const SEGMENT_HEADER = 52;
const RECORD_HEADER = 48;
const NO_HASH = '0'.repeat(64);

/** Reads `<data folder>/journal` up to its head. Safe while a server appends. */
export function readJournal(dataFolder: string): JournalRead {
  const folder = join(dataFolder, 'journal');
  // The head first: what it names is in the segments by then.
  const head = readFileSync(join(folder, 'head'));
  return readJournalFiles(readdirSync(folder), (name) =>
    name === 'head' ? head : readFileSync(join(folder, name)),
  );
}

/** The same from anywhere: the names in the folder, and what is in each. @param exports what admins hold of records that were pruned */
export function readJournalFiles(
  names: readonly string[],
  read: (name: string) => Buffer,
  exports: readonly Export[] = [],
): JournalRead {
  const head = readHead(read('head'));
  if (head === null) return { records: [], fault: 'no slot of the head is valid' };
  // One that begins after the head was being made when the server ended: nothing in it is acknowledged, be it whole or not.
  const segments = names
    .filter((name) => /^\d{20}\.log$/.test(name) && Number.parseInt(name, 10) <= head.seq)
    .sort();
  const records = segments[0] === undefined ? [] : exportedBefore(read(segments[0]), exports);
  if (typeof records === 'string') return { records: [], fault: records };
  const pruned = records.length;
  for (const name of segments) {
    const fault = readSegment(read(name), name, head.seq, records);
    if (fault !== null) return { records, fault, pruned };
  }
  const last = records.at(-1);
  if ((last?.seq ?? 0) !== head.seq)
    return { records, fault: `it ends at ${last?.seq ?? 0}, its head says ${head.seq}`, pruned };
  const fault =
    (last?.hash ?? NO_HASH) === head.hash ? null : `record ${head.seq} is not the one the head names`;
  return { records, fault, pruned };
}

/** What the first file goes on from: nothing, or records that somebody exported before they were pruned. Else why not. */
function exportedBefore(first: Buffer, exports: readonly Export[]): JournalEntry[] | string {
  const seq = Number(first.readBigUInt64BE(8)) - 1;
  return (
    recordsUpTo(first.toString('hex', 16, 48), seq, exports) ??
    `it begins behind record ${seq}, and no export has all before that`
  );
}

function readHead(bytes: Buffer): { seq: number; hash: string } | null {
  const slots = [0, 512]
    .map((at) => bytes.subarray(at, at + SEGMENT_HEADER))
    .filter(
      (slot) =>
        slot.length === SEGMENT_HEADER &&
        slot.toString('latin1', 0, 8) === 'BERTHH01' &&
        crc32(slot.subarray(0, 48)) === slot.readUInt32BE(48),
    )
    .map((slot) => ({ seq: Number(slot.readBigUInt64BE(8)), hash: slot.toString('hex', 16, 48) }))
    .sort((a, b) => b.seq - a.seq);
  return slots[0] ?? null;
}

function readSegment(bytes: Buffer, name: string, upTo: number, records: JournalEntry[]): string | null {
  if (bytes.toString('latin1', 0, 8) !== 'BERTHJ01') return `${name} has no header`;
  let at = SEGMENT_HEADER;
  while ((records.at(-1)?.seq ?? 0) < upTo && at + RECORD_HEADER <= bytes.length) {
    const end = at + RECORD_HEADER + bytes.readUInt32BE(at);
    if (end > bytes.length) return `${name} ends inside a record at byte ${at}`;
    const record = readRecord(bytes.subarray(at + 8, end), records.at(-1));
    if (typeof record === 'string') return `${name}, byte ${at}: ${record}`;
    records.push(record);
    at = end;
  }
  return null;
}

/** @param covered seq, previous hash and payload: what the hash of the record is over. */
function readRecord(covered: Buffer, last: JournalEntry | undefined): JournalEntry | string {
  const seq = Number(covered.readBigUInt64BE(0));
  if (seq !== (last?.seq ?? 0) + 1) return `record ${seq} follows ${last?.seq ?? 0}`;
  if (covered.toString('hex', 8, 40) !== (last?.hash ?? NO_HASH)) return `record ${seq} breaks the chain`;
  const hash = createHash('sha256').update(covered).digest('hex');
  const read = readPayload(covered.toString('utf8', 40));
  return read === null ? `record ${seq} is not JSON` : { seq, hash, ...read };
}

/** CRC-32 of ISO-HDLC, as in zlib. */
function crc32(bytes: Buffer): number {
  let crc = 0xffff_ffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb8_8320 : crc >>> 1;
  }
  return (crc ^ 0xffff_ffff) >>> 0;
}
