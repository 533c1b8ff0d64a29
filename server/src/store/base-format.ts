import { isSealed, readHash, readSeq, sealed, writeSeq } from './journal-format.js';
import type { Position } from './position.js';

/**
 * The bytes of a base: the state that a journal which was pruned goes on from (decision 0018). All numbers big-endian.
 *
 *     base   = header row*                          named <seq of `at`, 20 digits>.base
 *     header = "BERTHB01" | until seq u64 | until hash 32 | at seq u64 | at hash 32 | rows u64 | bytes of the rows u64
 *              | SHA-256 of the rows 32 | crc32 u32 of the 136 bytes before it
 *     row    = key length u32 | value length u32 | key | value
 */
export interface BaseFacts {
  /** The last record that may be missing: the journal begins with the one after it, or earlier. */
  readonly until: Position;
  /** The record that the rows stand for: the same or a later one. */
  readonly at: Position;
  readonly rows: number;
  /** Of the rows, without the header. */
  readonly bytes: number;
  /** Of the rows, hex. */
  readonly sha256: string;
}

export const BASE_HEADER_BYTES = 140;
const MAGIC = Buffer.from('BERTHB01');
const ROW_HEADER_BYTES = 8;

export function encodeBaseHeader({ until, at, rows, bytes, sha256 }: BaseFacts): Buffer {
  const header = Buffer.alloc(BASE_HEADER_BYTES);
  MAGIC.copy(header);
  writeSeq(header, until.seq, 8);
  header.write(until.hash, 16, 'hex');
  writeSeq(header, at.seq, 48);
  header.write(at.hash, 56, 'hex');
  writeSeq(header, rows, 88);
  writeSeq(header, bytes, 96);
  header.write(sha256, 104, 'hex');
  return sealed(header);
}

/** `null`: it does not check. */
export function decodeBaseHeader(header: Buffer): BaseFacts | null {
  if (!isSealed(header, BASE_HEADER_BYTES) || !header.subarray(0, 8).equals(MAGIC)) return null;
  const until = { seq: readSeq(header, 8), hash: readHash(header, 16) };
  const at = { seq: readSeq(header, 48), hash: readHash(header, 56) };
  return { until, at, rows: readSeq(header, 88), bytes: readSeq(header, 96), sha256: readHash(header, 104) };
}

export function baseName(seq: number): string {
  return `${String(seq).padStart(20, '0')}.base`;
}

/** The record that the base called `name` stands for, or null when it is no base's name. */
export function baseSeq(name: string): number | null {
  return /^\d{20}\.base$/.test(name) ? Number(name.slice(0, 20)) : null;
}

export function encodeRows(rows: readonly (readonly [string, string])[]): Buffer {
  const parts: Buffer[] = [];
  for (const [key, value] of rows) {
    const lengths = Buffer.allocUnsafe(ROW_HEADER_BYTES);
    lengths.writeUInt32BE(Buffer.byteLength(key), 0);
    lengths.writeUInt32BE(Buffer.byteLength(value), 4);
    parts.push(lengths, Buffer.from(key), Buffer.from(value));
  }
  return Buffer.concat(parts);
}

/** Takes rows apart, fed with their bytes as they come. */
export class RowReader {
  #rest: Buffer = Buffer.alloc(0);

  /** Bytes of a row that is not whole yet. */
  get owed(): number {
    return this.#rest.length;
  }

  read(bytes: Uint8Array): [string, string][] {
    const window = Buffer.concat([this.#rest, bytes]);
    const rows: [string, string][] = [];
    let at = 0;
    while (window.length - at >= ROW_HEADER_BYTES) {
      const keyEnd = at + ROW_HEADER_BYTES + window.readUInt32BE(at);
      const end = keyEnd + window.readUInt32BE(at + 4);
      if (end > window.length) break;
      rows.push([
        window.toString('utf8', at + ROW_HEADER_BYTES, keyEnd),
        window.toString('utf8', keyEnd, end),
      ]);
      at = end;
    }
    this.#rest = window.subarray(at);
    return rows;
  }
}
