import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';
import {
  BASE_HEADER_BYTES,
  type BaseFacts,
  baseName,
  baseSeq,
  decodeBaseHeader,
  encodeBaseHeader,
  encodeRows,
  RowReader,
} from './base-format.js';
import { errnoOf } from './errno.js';
import type { FileSystem, OpenFile } from './files.js';
import { JournalCorrupt } from './journal-errors.js';
import { asBuffer } from './journal-format.js';
import type { Position } from './position.js';
import type { Dump } from './state-store.js';

/** The base in the folder of a journal, by its header: its rows were not looked at. */
export interface Base extends BaseFacts {
  readonly file: string;
}

const UNFINISHED = 'base.new';
/** Read at once: a millisecond of hashing. */
const CHUNK_BYTES = 256 * 1024;

/** What the journal says of the base that it goes on from, in its hash chain (`journal.pruned`). */
export interface NamedBase {
  readonly at: number;
  /** Of record `at`. */
  readonly hash: string;
  readonly sha256: string;
}

export function isNamed({ at, sha256 }: Base, named: NamedBase): boolean {
  return at.seq === named.at && at.hash === named.hash && sha256 === named.sha256;
}

/** The newest base, or that of one record; or null. Throws JournalCorrupt when its header does not check. */
export async function findBase(files: FileSystem, folder: string, seq?: number): Promise<Base | null> {
  const newest = (await basesIn(files, folder)).findLast((each) => seq === undefined || each === seq);
  if (newest === undefined) return null;
  const path = join(folder, baseName(newest));
  const file = await files.open(path, 'read');
  try {
    const facts = decodeBaseHeader(asBuffer(await readFrom(path, file, 0, BASE_HEADER_BYTES)));
    const isSound = facts !== null && facts.at.seq === newest && facts.until.seq <= newest;
    if (!isSound || (await file.size()) !== BASE_HEADER_BYTES + facts.bytes) throw broken(path, newest);
    return { file: path, ...facts };
  } finally {
    await file.close();
  }
}

/** All of its rows, verified. Throws JournalCorrupt. */
export async function readBase(files: FileSystem, base: Base): Promise<Map<string, string>> {
  const rows = new Map<string, string>();
  const reader = new RowReader();
  await walk(files, base, async (bytes) => {
    for (const [key, value] of reader.read(bytes)) rows.set(key, value);
    return true;
  });
  if (reader.owed > 0 || rows.size !== base.rows) throw broken(base.file, base.at.seq);
  return rows;
}

/** Reads all of it. Throws JournalCorrupt. @param pause between two chunks; false: stop now */
export async function verifyBase(
  files: FileSystem,
  base: Base,
  pause: () => Promise<boolean>,
): Promise<void> {
  await walk(files, base, pause);
}

/** Throws JournalCorrupt when a record of the journal is not the one that the base names. */
export function requireBound(base: Base | null, { seq, hash }: Position): void {
  if (base === null) return;
  const named = [base.until, base.at].find((position) => position.seq === seq);
  if (named !== undefined && named.hash !== hash)
    throw new JournalCorrupt({ file: base.file, seq, reason: 'BASE_FOREIGN' });
}

export interface NewBase {
  readonly until: Position;
  readonly dump: Dump;
  /** Have to stay free on the disk: who commits needs them, and must not be stopped by a prune. */
  readonly spareBytes: number;
}

/**
 * Writes what the store holds, beside its name, reads it again, and only then it is the base; earlier ones stay. In words, why not: the store
 * does not check, the disk is too full. Rejects with the disk's own errors. Whatever it comes to, nothing unfinished stays where that can be helped.
 */
export async function writeBase(files: FileSystem, folder: string, wanted: NewBase): Promise<Base | string> {
  const path = join(folder, UNFINISHED);
  let written = path;
  try {
    const facts = await writeRows(files, path, wanted);
    if (typeof facts === 'string') {
      await removeIfThere(files, path);
      return facts;
    }
    await verifyBase(files, { file: path, ...facts }, async () => true);
    const base = { file: join(folder, baseName(facts.at.seq)), ...facts };
    await files.rename(path, base.file);
    written = base.file;
    await files.syncFolder(folder);
    return base;
  } catch (error) {
    // What takes the room of a full disk helps nobody; the next start removes what cannot be removed now.
    await removeIfThere(files, written).catch(() => {});
    throw error;
  }
}

/** Removes all bases but that of one record, and what a killed server had begun to write of one. */
export async function removeLeft(files: FileSystem, folder: string, kept: number): Promise<void> {
  const names = (await files.list(folder)).filter((name) => {
    const seq = baseSeq(name);
    return name === UNFINISHED || (seq !== null && seq !== kept);
  });
  for (const name of names) await removeIfThere(files, join(folder, name));
  if (names.length > 0) await files.syncFolder(folder);
}

/** Rejects with the disk's own errors, but that it is gone already is what was wanted. */
export async function removeIfThere(files: FileSystem, path: string): Promise<void> {
  try {
    await files.remove(path);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
}

/** In words, why a base cannot even be begun; null: it can. Rejects with the disk's own errors */
export async function roomForBase(
  files: Pick<FileSystem, 'freeBytes'>,
  folder: string,
  spareBytes: number,
): Promise<string | null> {
  const full = await fullWith(files, folder, spareBytes, LOOK_BYTES);
  return full === null ? null : full.message;
}

async function fullWith(
  files: Pick<FileSystem, 'freeBytes'>,
  folder: string,
  spareBytes: number,
  bytes: number,
): Promise<DiskFull | null> {
  const freeBytes = await files.freeBytes(folder);
  return freeBytes < spareBytes + bytes ? new DiskFull(freeBytes, spareBytes) : null;
}

/** How much is written before the free space is looked at again. */
const LOOK_BYTES = 8 * 1024 * 1024;

async function writeRows(
  files: FileSystem,
  path: string,
  { until, dump, spareBytes }: NewBase,
): Promise<BaseFacts | string> {
  const file = await files.open(path, 'create');
  try {
    await file.truncate(0);
    const digest = createHash('sha256');
    let [rows, bytes, looked] = [0, 0, Number.NEGATIVE_INFINITY];
    const at = await dump(async (some) => {
      const encoded = encodeRows(some);
      if (bytes + encoded.length > looked + LOOK_BYTES) {
        looked = bytes;
        const most = Math.max(LOOK_BYTES, encoded.length);
        const full = await fullWith(files, dirname(path), spareBytes, most);
        if (full !== null) throw full;
      }
      digest.update(encoded);
      await file.write(encoded, BASE_HEADER_BYTES + bytes);
      rows += some.length;
      bytes += encoded.length;
    });
    if (typeof at === 'string') return at;
    const facts = { until, at, rows, bytes, sha256: digest.digest('hex') };
    await file.write(encodeBaseHeader(facts), 0);
    await file.sync();
    return facts;
  } finally {
    await file.close();
  }
}

/** Not a failure of the disk: it was not tried. */
class DiskFull extends Error {
  override readonly name = 'DiskFull';

  constructor(freeBytes: number, spareBytes: number) {
    const mib = (bytes: number): string => `${Math.floor(bytes / 1024 / 1024)} MiB`;
    super(`${mib(freeBytes)} are free on the disk, and ${mib(spareBytes)} have to stay free`);
  }
}

async function walk(
  files: FileSystem,
  { file: path, at, bytes, sha256 }: Base,
  onChunk: (bytes: Uint8Array) => Promise<boolean>,
): Promise<void> {
  const file = await files.open(path, 'read');
  try {
    const digest = createHash('sha256');
    for (let done = 0; done < bytes; ) {
      const chunk = await readFrom(path, file, BASE_HEADER_BYTES + done, Math.min(CHUNK_BYTES, bytes - done));
      if (chunk.length === 0) break;
      digest.update(chunk);
      done += chunk.length;
      if (!(await onChunk(chunk))) return;
    }
    if (digest.digest('hex') !== sha256) throw broken(path, at.seq);
  } finally {
    await file.close();
  }
}

/** What the records stand for, oldest first. */
async function basesIn(files: FileSystem, folder: string): Promise<number[]> {
  try {
    const seqs = (await files.list(folder)).map(baseSeq).filter((seq) => seq !== null);
    return seqs.sort((a, b) => a - b);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}

async function readFrom(path: string, file: OpenFile, at: number, length: number): Promise<Uint8Array> {
  try {
    return await file.read(at, length);
  } catch (cause) {
    throw new JournalCorrupt({ file: path, seq: 0, reason: 'UNREADABLE' }, { cause });
  }
}

/** Says which file it is, where the records say so: it is to be put back. */
export function baseMissing(folder: string, seq: number, named: NamedBase | null): JournalCorrupt {
  const file = named === null ? folder : join(folder, baseName(named.at));
  return new JournalCorrupt({ file, seq, reason: 'BASE_MISSING' });
}

function broken(file: string, seq: number): JournalCorrupt {
  return new JournalCorrupt({ file, seq, reason: 'BASE_BROKEN' });
}
