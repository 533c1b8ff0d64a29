import { errnoOf } from './errno.js';
import type { FileSystem, OpenFile } from './files.js';
import { JournalCorrupt } from './journal-errors.js';
import { asBuffer, isSealed, readHash, readSeq, sealed, writeSeq } from './journal-format.js';
import { type Position, START } from './position.js';

/**
 * The head file: the position of the last acknowledged record, in two slots of which one write touches only one. Record n
 * goes to slot n % 2, so the slot that a crash can tear is always the older one.
 *
 *     slot = "BERTHH01" | seq u64 | hash 32 | crc32 u32 of the 48 bytes before it        at byte 0 and at byte 512
 */
export interface Head {
  /** The valid slot with the highest sequence. */
  readonly position: Position;
  /**
   * The slot that does not check or is older than the record before the head, or null. It held either the record before the
   * head or the one after it.
   */
  readonly damagedSlot: 0 | 1 | null;
}

const HEAD_MAGIC = Buffer.from('BERTHH01');
const SLOT_BYTES = 52;
/** Slots lie in different 512-byte sectors: the smallest unit a disk writes. */
const SLOT_STRIDE = 512;
const SLOTS = [0, 1] as const;

/** The head, or why there is none. Rejects with JournalCorrupt when it cannot be read. */
export async function readHead(
  files: FileSystem,
  path: string,
): Promise<Head | 'HEAD_MISSING' | 'HEAD_BROKEN'> {
  const bytes = await readIfThere(files, path);
  if (bytes === null) return 'HEAD_MISSING';
  const [even, odd] = SLOTS.map((slot) => decodeSlot(bytes, slot));
  if (even && odd) return newerOf(even, odd);
  if (even) return { position: even, damagedSlot: 1 };
  if (odd) return { position: odd, damagedSlot: 0 };
  return 'HEAD_BROKEN';
}

/** Writes `position` over the older slot and syncs: after that, and not before, the record is acknowledged. */
export async function writeHead(file: OpenFile, position: Position): Promise<void> {
  await writeSlot(file, position, position.seq % 2);
}

/** Makes both slots say `position`, the damaged one first: the good one may only be touched when it is not the only one. */
export async function mendHead(file: OpenFile, position: Position, damagedSlot: 0 | 1): Promise<void> {
  await writeSlot(file, position, damagedSlot);
  await writeSlot(file, position, 1 - damagedSlot);
}

/** Makes the head of an empty journal: both slots say "before the first record"; or of one that was restored. The folder is synced too. */
export async function createHead(
  files: FileSystem,
  folder: string,
  path: string,
  position: Position = START,
): Promise<void> {
  const file = await files.open(path, 'create');
  try {
    for (const slot of SLOTS) await file.write(encodeSlot(position), slot * SLOT_STRIDE);
    await file.sync();
  } finally {
    await file.close();
  }
  await files.syncFolder(folder);
}

async function writeSlot(file: OpenFile, position: Position, slot: number): Promise<void> {
  await file.write(encodeSlot(position), slot * SLOT_STRIDE);
  await file.datasync();
}

function newerOf(even: Position, odd: Position): Head {
  const [position, older, olderSlot] =
    even.seq > odd.seq ? ([even, odd, 1] as const) : ([odd, even, 0] as const);
  // Each record rewrites the slot of the one before the last: a larger distance means a slot write was lost.
  return { position, damagedSlot: older.seq < position.seq - 1 ? olderSlot : null };
}

async function readIfThere(files: FileSystem, path: string): Promise<Buffer | null> {
  let file: OpenFile;
  try {
    file = await files.open(path, 'read');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return null;
    throw error;
  }
  try {
    return asBuffer(await file.read(0, SLOT_STRIDE + SLOT_BYTES));
  } catch (cause) {
    throw new JournalCorrupt({ file: path, seq: 0, reason: 'UNREADABLE' }, { cause });
  } finally {
    await file.close();
  }
}

function encodeSlot(position: Position): Buffer {
  const bytes = Buffer.alloc(SLOT_BYTES);
  HEAD_MAGIC.copy(bytes);
  writeSeq(bytes, position.seq, 8);
  bytes.write(position.hash, 16, 'hex');
  return sealed(bytes);
}

function decodeSlot(head: Buffer, slot: number): Position | null {
  const bytes = head.subarray(slot * SLOT_STRIDE, slot * SLOT_STRIDE + SLOT_BYTES);
  if (!isSealed(bytes, SLOT_BYTES) || !bytes.subarray(0, 8).equals(HEAD_MAGIC)) return null;
  const seq = readSeq(bytes, 8);
  return Number.isSafeInteger(seq) ? { seq, hash: readHash(bytes, 16) } : null;
}
