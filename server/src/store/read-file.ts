import type { FileSystem } from './files.js';

/** Size in bytes. Rejects with the disk's own error. */
export async function sizeOfFile(files: FileSystem, path: string): Promise<number> {
  const file = await files.open(path, 'read');
  try {
    return await file.size();
  } finally {
    await file.close();
  }
}

/** Bytes of a file from `offset`, at most `length`. @param size how much of it counts; null: all of it */
export async function readFileAt(
  files: FileSystem,
  path: string,
  offset: number,
  length: number,
  size: number | null,
): Promise<Uint8Array> {
  const file = await files.open(path, 'read');
  try {
    const bytes = size ?? (await file.size());
    return await file.read(offset, Math.max(0, Math.min(length, bytes - offset)));
  } finally {
    await file.close();
  }
}
