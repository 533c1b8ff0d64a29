import { dirname, join } from 'node:path';
import { BackupBroken, type BackupEnd, type BackupPiece, readBackup } from '@berth/protocol';
import type { FileSystem, OpenFile } from '../store/files.js';
import { createHead } from '../store/head.js';
import { bytesOf } from './backup-file.js';
import { cipherOf } from './cipher.js';

export type BackupFacts = BackupEnd['end'];

/** `berthd.json` gets its name last: with it the folder is a server, and this one has no epoch of its own yet. */
export const MARKER_ASIDE = 'berthd.json.aside';

/**
 * Unpacks a backup into a folder that is there and empty, durably. What it holds is proved when this resolves, and not before: whoever
 * calls makes a server of it only then. Rejects with BackupBroken, or the disk's own errors.
 */
export async function unpackBackup(
  files: FileSystem,
  path: string,
  passphrase: string,
  folder: string,
): Promise<BackupFacts> {
  for (const name of ['keys', 'tls', 'journal']) await files.makeFolder(join(folder, name));
  const writer = new Unpacker(files, folder);
  try {
    for await (const piece of readBackup(bytesOf(files, path), (head) => cipherOf(passphrase, head)))
      await writer.take(piece);
  } finally {
    await writer.close();
  }
  const { end } = writer;
  if (end === null) throw new BackupBroken('CONTENT');
  const hash = Buffer.from(end.head, 'base64url').toString('hex');
  const journal = join(folder, 'journal');
  await createHead(files, journal, join(journal, 'head'), { seq: end.seq, hash });
  for (const name of ['keys', 'tls', 'journal', '.']) await files.syncFolder(join(folder, name));
  return end;
}

class Unpacker {
  end: BackupFacts | null = null;
  readonly #files: FileSystem;
  readonly #folder: string;
  readonly #paths = new Set<string>();
  #file: OpenFile | null = null;
  #at = 0;

  constructor(files: FileSystem, folder: string) {
    this.#files = files;
    this.#folder = folder;
  }

  async take(piece: BackupPiece): Promise<void> {
    if (piece.kind === 'bytes') {
      await this.#file!.write(piece.bytes, this.#at);
      this.#at += piece.bytes.length;
      return;
    }
    await this.#finish();
    if (piece.kind === 'end') {
      this.end = piece.end;
      return;
    }
    const { path } = piece.file;
    // The shape of a path lets it lead nowhere else (BackedUpFile).
    if (this.#paths.has(path)) throw new BackupBroken('CONTENT');
    this.#paths.add(path);
    this.#file = await this.#files.open(
      join(this.#folder, path === 'berthd.json' ? MARKER_ASIDE : path),
      'create',
    );
    this.#at = 0;
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = null;
    await file?.close();
  }

  async #finish(): Promise<void> {
    await this.#file?.sync();
    await this.close();
  }
}

/** Moves what lies in a folder to the one above it, the marker last: with it, and not before, the folder above is a server. */
export async function moveUp(files: FileSystem, folder: string, marker: string): Promise<void> {
  const above = dirname(folder);
  const names = (await files.list(folder)).filter((name) => name !== marker);
  for (const name of names.sort()) await files.rename(join(folder, name), join(above, name));
  await files.syncFolder(above);
  await files.rename(join(folder, marker), join(above, marker));
  await files.syncFolder(above);
}
