import { basename, dirname, join } from 'node:path';
import {
  BACKUP_PART_BYTES,
  type BackupEnd,
  BackupSealer,
  formatBackupHead,
  readBackup,
} from '@berth/protocol';
import { baseName } from '../store/base-format.js';
import { errnoOf } from '../store/errno.js';
import type { FileSystem, OpenFile } from '../store/files.js';
import { segmentName } from '../store/journal-format.js';
import { cipherOf, newCipher } from './cipher.js';
import type { BackupCut, BackupSource } from './source.js';

/**
 * Writes a backup beside its name, reads all of it again, and only then gives it its name: what has the name is whole.
 * @returns its last record and its length. Rejects with the disk's own errors, and with the signal's reason when it is aborted
 */
export async function writeBackup(
  files: FileSystem,
  path: string,
  passphrase: string,
  source: BackupSource,
  {
    signal,
    ...identity
  }: { readonly server: string; readonly epoch: string; readonly atMs: number; readonly signal: AbortSignal },
): Promise<{ readonly seq: number; readonly bytes: number }> {
  const unfinished = `${path}.new`;
  const file = await files.open(unfinished, 'create');
  let bytes = 0;
  let seq: number;
  try {
    await file.truncate(0);
    const emit = async (piece: Uint8Array): Promise<void> => {
      signal.throwIfAborted();
      await file.write(piece, bytes);
      bytes += piece.length;
    };
    seq = await seal(passphrase, source, identity, emit, signal);
    await file.sync();
  } finally {
    await file.close();
  }
  await proveBackup(files, unfinished, passphrase, signal);
  await files.rename(unfinished, path);
  await files.syncFolder(dirname(path));
  return { seq, bytes };
}

async function seal(
  passphrase: string,
  source: BackupSource,
  { server, epoch, atMs }: { server: string; epoch: string; atMs: number },
  emit: (piece: Uint8Array) => Promise<void>,
  signal: AbortSignal,
): Promise<number> {
  const { head, cipher } = await newCipher(passphrase);
  const cut = await source.cut();
  try {
    await source.prove(cut, signal);
    const headBytes = formatBackupHead(head);
    await emit(headBytes);
    const sealer = new BackupSealer(headBytes, cipher, emit);
    await sealFiles(sealer, source, cut);
    const { position } = cut;
    const end: BackupEnd['end'] = {
      ...{ server, epoch, seq: position.seq, atMs },
      head: Buffer.from(position.hash, 'hex').toString('base64url'),
    };
    await sealer.end({ end });
    return position.seq;
  } finally {
    source.over(cut.position.seq);
  }
}

async function sealFiles(
  sealer: BackupSealer,
  source: BackupSource,
  { files, journal, base }: BackupCut,
): Promise<void> {
  for (const { path, bytes } of files) {
    await sealer.begin({ path, bytes: bytes.length });
    await sealer.add(bytes);
  }
  // Before the journal: whoever reads the file knows then with which record it may begin.
  if (base !== null)
    await sealLong(sealer, baseName(base.at), base.bytes, (at, length) => source.base(base.at, at, length));
  for (const { firstSeq, bytes } of journal)
    await sealLong(sealer, segmentName(firstSeq), bytes, (at, length) =>
      source.segment(firstSeq, at, length),
    );
}

async function sealLong(
  sealer: BackupSealer,
  name: string,
  bytes: number,
  read: (at: number, length: number) => Promise<Uint8Array | null>,
): Promise<void> {
  await sealer.begin({ path: `journal/${name}`, bytes });
  for (let at = 0; at < bytes; ) {
    const piece = await read(at, Math.min(BACKUP_PART_BYTES, bytes - at));
    if (piece === null || piece.length === 0) throw new Error(`${name} ends too early`);
    await sealer.add(piece);
    at += piece.length;
  }
}

/** Reads all of it. Rejects with BackupBroken, the disk's own errors, or the signal's reason. */
async function proveBackup(
  files: FileSystem,
  path: string,
  passphrase: string,
  signal: AbortSignal,
): Promise<void> {
  for await (const _ of readBackup(bytesOf(files, path), (head) => cipherOf(passphrase, head)))
    signal.throwIfAborted();
}

/** The bytes of a file, in order. */
export async function* bytesOf(files: FileSystem, path: string): AsyncGenerator<Uint8Array, void, undefined> {
  const file: OpenFile = await files.open(path, 'read');
  try {
    for (let at = 0; ; ) {
      const bytes = await file.read(at, BACKUP_PART_BYTES);
      if (bytes.length === 0) return;
      yield bytes;
      at += bytes.length;
    }
  } finally {
    await file.close();
  }
}

/** Removes the oldest of a server's own backups in a folder, and what an interrupted one left. The names sort by time. */
export async function pruneBackups(
  files: FileSystem,
  folder: string,
  prefix: string,
  keep: number,
): Promise<void> {
  const names = (await files.list(folder)).filter((name) => basename(name).startsWith(prefix)).sort();
  const whole = names.filter((name) => name.endsWith('.backup'));
  const gone = [
    ...whole.slice(0, Math.max(0, whole.length - keep)),
    ...names.filter((name) => name.endsWith('.new')),
  ];
  for (const name of gone) {
    await files.remove(join(folder, name)).catch((error: unknown) => {
      if (errnoOf(error) !== 'ENOENT') throw error;
    });
  }
}
