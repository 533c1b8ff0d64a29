import { hash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { Position } from './position.js';

/**
 * The bytes of a journal segment; all numbers big-endian.
 *
 *     segment = header record*                       named <first seq, 20 digits>.log
 *     header  = "BERTHJ01" | first seq u64 | prev 32 | crc32 u32 of the 48 bytes before it
 *     record  = payload length u32 | crc32 u32 | seq u64 | prev 32 | payload
 *
 * The crc32 of a record and its hash cover the same bytes: seq, prev and payload. `prev` is the hash of the record before it
 * (I10), 32 zero bytes for record 1.
 */
export interface JournalRecord extends Position {
  /** The changes of one group commit, opaque here. A view: copy it to keep it beyond the callback that brought it. */
  readonly payload: Uint8Array;
}

/** Longest payload, bytes: some 400,000 changes of one command. A length above it is damage, not data to allocate for. */
export const MAX_PAYLOAD_BYTES = 64 * 1024 * 1024;

export const SEGMENT_HEADER_BYTES = 52;
export const RECORD_HEADER_BYTES = 48;

const SEGMENT_MAGIC = Buffer.from('BERTHJ01');
const HASH_BYTES = 32;
const HIGH_WORD = 0x1_0000_0000;

/** Offsets inside a record. The crc32 and the hash cover everything from `SEQ`. */
const CRC = 4;
const SEQ = 8;
const PREV = 16;

/** The record that continues `last`: its bytes and its hash. */
export function encodeRecord(last: Position, payload: Uint8Array): { bytes: Buffer; hash: string } {
  const bytes = Buffer.allocUnsafe(RECORD_HEADER_BYTES + payload.length);
  bytes.writeUInt32BE(payload.length, 0);
  writeSeq(bytes, last.seq + 1, SEQ);
  bytes.write(last.hash, PREV, 'hex');
  bytes.set(payload, RECORD_HEADER_BYTES);
  const covered = bytes.subarray(SEQ);
  bytes.writeUInt32BE(crc32(covered), CRC);
  return { bytes, hash: hash('sha256', covered, 'hex') };
}

/** Length of the payload of the record at `at`; `bytes` holds at least its header. */
export function payloadLength(bytes: Buffer, at: number): number {
  return bytes.readUInt32BE(at);
}

/** What is wrong with the record at `at` as the one after `last`, or the record; `bytes` holds all of it. */
export function decodeRecord(bytes: Buffer, at: number, last: Position): JournalRecord | RecordFault {
  const end = at + RECORD_HEADER_BYTES + payloadLength(bytes, at);
  const covered = bytes.subarray(at + SEQ, end);
  if (crc32(covered) !== bytes.readUInt32BE(at + CRC)) return 'CHECKSUM';
  const seq = readSeq(bytes, at + SEQ);
  if (seq !== last.seq + 1) return 'OUT_OF_ORDER';
  if (readHash(bytes, at + PREV) !== last.hash) return 'CHAIN';
  return {
    seq,
    hash: hash('sha256', covered, 'hex'),
    payload: bytes.subarray(at + RECORD_HEADER_BYTES, end),
  };
}

export type RecordFault = 'CHECKSUM' | 'OUT_OF_ORDER' | 'CHAIN';

/** The header of a segment whose first record continues `last`. */
export function encodeSegmentHeader(last: Position): Buffer {
  const bytes = Buffer.alloc(SEGMENT_HEADER_BYTES);
  SEGMENT_MAGIC.copy(bytes);
  writeSeq(bytes, last.seq + 1, 8);
  bytes.write(last.hash, 16, 'hex');
  return sealed(bytes);
}

/** The position that the first record of a segment continues, or null when the header does not check. */
export function decodeSegmentHeader(bytes: Buffer): Position | null {
  if (!isSealed(bytes, SEGMENT_HEADER_BYTES) || !bytes.subarray(0, 8).equals(SEGMENT_MAGIC)) return null;
  return { seq: readSeq(bytes, 8) - 1, hash: readHash(bytes, 16) };
}

export function segmentName(firstSeq: number): string {
  return `${String(firstSeq).padStart(20, '0')}.log`;
}

/** The first sequence of the segment called `name`, or null when it is no segment's name. */
export function segmentFirstSeq(name: string): number | null {
  return /^\d{20}\.log$/.test(name) ? Number(name.slice(0, 20)) : null;
}

/** Fills the last four bytes with the crc32 of the others. */
export function sealed(bytes: Buffer): Buffer {
  bytes.writeUInt32BE(crc32(bytes.subarray(0, -4)), bytes.length - 4);
  return bytes;
}

export function isSealed(bytes: Buffer, length: number): boolean {
  return bytes.length === length && crc32(bytes.subarray(0, -4)) === bytes.readUInt32BE(length - 4);
}

export function writeSeq(bytes: Buffer, seq: number, at: number): void {
  bytes.writeUInt32BE(Math.floor(seq / HIGH_WORD), at);
  bytes.writeUInt32BE(seq % HIGH_WORD, at + 4);
}

/** A sequence is below 2^53; a larger number on disk loses its low bits here and so equals no sequence we expect. */
export function readSeq(bytes: Buffer, at: number): number {
  return bytes.readUInt32BE(at) * HIGH_WORD + bytes.readUInt32BE(at + 4);
}

export function readHash(bytes: Buffer, at: number): string {
  return bytes.toString('hex', at, at + HASH_BYTES);
}

/** The same bytes with Buffer's methods; nothing is copied. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
