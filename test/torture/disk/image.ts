import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** A folder in memory, path -> bytes: it is written ten thousand times. */
export type Image = ReadonlyMap<string, Buffer>;

export function readImage(folder: string): Image {
  const image = new Map<string, Buffer>();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile()) image.set(path.slice(folder.length + 1), readFileSync(path));
  }
  return image;
}

/** Makes the folder what the image says, and nothing else, but for one file that is otherwise. */
export function layImage(image: Image, folder: string, other?: { file: string; bytes: Buffer }): void {
  rmSync(folder, { recursive: true, force: true });
  const made = new Set<string>();
  for (const [file, bytes] of image) {
    const path = join(folder, file);
    if (!made.has(dirname(path))) mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    made.add(dirname(path));
    writeFileSync(path, file === other?.file ? other.bytes : bytes, { mode: 0o600 });
  }
}

export function flipped(bytes: Buffer, at: number, bit: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at]! ^= 1 << bit;
  return copy;
}

const SEGMENT_HEADER = 52;
const RECORD_HEADER = 48;

/**
 * The record of a whole segment that a byte belongs to, by the lengths that the records say themselves (auditor/journal-reader.ts has the
 * format); its first one for the header of the segment.
 */
export function recordAt(segment: Buffer, at: number): number {
  const first = Number(segment.readBigUInt64BE(8));
  let seq = first;
  for (let end = SEGMENT_HEADER; ; seq++) {
    end += RECORD_HEADER + segment.readUInt32BE(end);
    if (at < end) return seq;
  }
}
