/** PEM files on disk: read with a limit, written whole or not at all. */
import { mkdir, open, readFile, rename, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Checked, type PemFile, refuse } from './certificate-checks.js';

/** A chain is a few KiB; anything larger, or endless as a device, is not a certificate. */
const MAX_PEM_BYTES = 1024 * 1024;

export async function readPem(path: string, next: string): Promise<Checked<PemFile>> {
  try {
    const entry = await stat(path);
    if (!entry.isFile() || entry.size > MAX_PEM_BYTES) return refuse(path, 'is not a PEM file', next);
    return { ok: true, value: { path, text: await readFile(path, 'utf8') } };
  } catch (error) {
    const code = errorCode(error);
    return refuse(path, code === 'ENOENT' ? 'does not exist' : `cannot be read (${code})`, next);
  }
}

/** The permission bits of a file, or `undefined` when there is none. */
export async function modeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).mode & 0o777;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * After a crash the file is the old one or the new one. Its folder is made if need be.
 * @throws file system errors.
 */
export async function writePem(path: string, text: string, mode: number): Promise<void> {
  const folder = dirname(path);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const temporary = `${path}.tmp`;
  const file = await open(temporary, 'w', mode);
  try {
    // A leftover from a crash keeps the mode it had.
    await file.chmod(mode);
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  await syncFolder(folder);
}

/** Makes the rename durable. Windows cannot open a folder, and needs no such thing. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}
