import type { FileHandle } from 'node:fs/promises';
import { codeOf } from './files.js';

/** What a pipe, a terminal or /dev/null answers: they keep nothing. */
const keepsNothing: ReadonlySet<unknown> = new Set(['EINVAL', 'ENOTSUP']);

/**
 * What was written is on the disk: a key that is gone after a power cut was never made, and an export may be the only place that has its
 * records. Rejects with the disk's own error: a disk that fails here kept nothing, whatever the writes before said.
 */
export async function synced(file: Pick<FileHandle, 'sync'>): Promise<void> {
  try {
    await file.sync();
  } catch (error) {
    if (!keepsNothing.has(codeOf(error))) throw error;
  }
}
