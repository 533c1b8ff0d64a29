import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { errnoOf } from './errno.js';
import type { FileSystem } from './files.js';

/** The folders of a data folder, itself included; nothing lies deeper. */
const FOLDERS = ['.', 'keys', 'tls', 'journal', 'state'];
/** Written last: without it a copy is half of one. */
const MANIFEST = 'copy.json';
const CHUNK_BYTES = 4 * 1024 * 1024;

interface Entry {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** A copy of a data folder that was read again and compared. */
export interface FolderCopy {
  readonly folder: string;
  readonly files: number;
  readonly bytes: number;
  /** It was there already, from a run that was interrupted later. */
  readonly reused: boolean;
}

/** How many bytes a copy takes. */
export async function sizeOf(files: FileSystem, folder: string): Promise<number> {
  return (await entriesOf(files, folder)).reduce((sum, { bytes }) => sum + bytes, 0);
}

/**
 * Copies a data folder next to itself, `<to>` or, when there is a whole copy of something else, `<to>.2` and so on. Durable and
 * compared, byte for byte, before it resolves; killed at any moment it is not taken for a copy, and the next run goes over it.
 * Nothing may write to `from` meanwhile. @throws the disk's own errors, and one when the copy differs
 */
export async function copyFolder(files: FileSystem, from: string, to: string): Promise<FolderCopy> {
  const wanted = await entriesOf(files, from);
  const bytes = wanted.reduce((sum, entry) => sum + entry.bytes, 0);
  for (let number = 1; ; number += 1) {
    const folder = number === 1 ? to : `${to}.${number}`;
    const manifest = await readText(files, join(folder, MANIFEST));
    const facts = { folder, files: wanted.length, bytes };
    if (manifest !== null && manifest === textOf(wanted)) return { ...facts, reused: true };
    // A whole copy of another state of the folder is somebody's backup.
    if (manifest !== null && isWhole(manifest)) continue;
    await makeCopy(files, from, folder, wanted);
    return { ...facts, reused: false };
  }
}

async function makeCopy(
  files: FileSystem,
  from: string,
  to: string,
  wanted: readonly Entry[],
): Promise<void> {
  for (const name of FOLDERS) await files.makeFolder(join(to, name));
  await removeStrangers(files, to, wanted);
  for (const { path } of wanted) await copyFile(files, join(from, path), join(to, path));
  for (const name of FOLDERS) await files.syncFolder(join(to, name));
  const found = await entriesOf(files, to);
  if (textOf(found) !== textOf(wanted)) throw new Error(`The copy in ${to} is not what was copied.`);
  await writeWhole(files, join(to, MANIFEST), textOf(wanted));
  await files.syncFolder(join(to, '..'));
}

/** What an interrupted run copied of an earlier state. */
async function removeStrangers(files: FileSystem, to: string, wanted: readonly Entry[]): Promise<void> {
  for (const { path } of await entriesOf(files, to))
    if (!wanted.some((entry) => entry.path === path)) await files.remove(join(to, path));
}

/** In a fixed order. */
async function entriesOf(files: FileSystem, folder: string): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (const inside of FOLDERS) {
    for (const name of (await namesIn(files, join(folder, inside))).sort()) {
      const path = join(inside, name);
      if (FOLDERS.includes(path) || path === MANIFEST || path === `${MANIFEST}.new`) continue;
      const entry = await entryOf(files, folder, path);
      if (entry !== null) entries.push(entry);
    }
  }
  return entries;
}

async function namesIn(files: FileSystem, folder: string): Promise<string[]> {
  try {
    return await files.list(folder);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}

/** `null` for a folder: LevelDB puts what it cannot use into one. */
async function entryOf(files: FileSystem, folder: string, path: string): Promise<Entry | null> {
  const file = await files.open(join(folder, path), 'read');
  try {
    const hash = createHash('sha256');
    let bytes = 0;
    for (;;) {
      const chunk = await file.read(bytes, CHUNK_BYTES);
      if (chunk.length === 0) break;
      hash.update(chunk);
      bytes += chunk.length;
    }
    return { path, bytes, sha256: hash.digest('hex') };
  } catch (error) {
    if (errnoOf(error) === 'EISDIR') return null;
    throw error;
  } finally {
    await file.close();
  }
}

async function copyFile(files: FileSystem, from: string, to: string): Promise<void> {
  const source = await files.open(from, 'read');
  try {
    const target = await files.open(to, 'create');
    try {
      await target.truncate(0);
      for (let at = 0; ; ) {
        const chunk = await source.read(at, CHUNK_BYTES);
        if (chunk.length === 0) break;
        await target.write(chunk, at);
        at += chunk.length;
      }
      await target.sync();
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

/** The old text or the new one, whenever the power goes. */
export async function writeWhole(files: FileSystem, path: string, text: string): Promise<void> {
  const file = await files.open(`${path}.new`, 'create');
  try {
    await file.truncate(0);
    await file.write(Buffer.from(text), 0);
    await file.sync();
  } finally {
    await file.close();
  }
  await files.rename(`${path}.new`, path);
  await files.syncFolder(join(path, '..'));
}

/** `null` when there is none. */
export async function readText(files: FileSystem, path: string): Promise<string | null> {
  try {
    const file = await files.open(path, 'read');
    try {
      return Buffer.from(await file.read(0, await file.size())).toString();
    } finally {
      await file.close();
    }
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return null;
    throw error;
  }
}

function textOf(entries: readonly Entry[]): string {
  return `${JSON.stringify({ entries, whole: true })}\n`;
}

function isWhole(manifest: string): boolean {
  return manifest.endsWith(',"whole":true}\n');
}
