import { closeSync, constants, fdatasyncSync, openSync, writeSync } from 'node:fs';
import { type FileSystem, nodeFiles, type OpenFile } from '@berth/server/store/files';

/**
 * A disk that is made durable once, when a file is closed: a folder that is only being made for a bench may be lost with the machine.
 * A million records take two minutes less.
 */
export const unsyncedFiles: FileSystem = {
  ...nodeFiles,
  open: async (path, mode) => (mode === 'read' ? nodeFiles.open(path, mode) : openUnsynced(path, mode)),
  syncFolder: async () => undefined,
};

async function openUnsynced(path: string, mode: 'write' | 'create'): Promise<OpenFile> {
  const reader = await nodeFiles.open(path, mode);
  const file = openSync(path, constants.O_WRONLY);
  return {
    write: async (bytes, position) => {
      for (let done = 0; done < bytes.length; )
        done += writeSync(file, bytes, done, bytes.length - done, position + done);
    },
    read: (position, length) => reader.read(position, length),
    truncate: (size) => reader.truncate(size),
    datasync: async () => undefined,
    sync: async () => undefined,
    size: () => reader.size(),
    close: async () => {
      fdatasyncSync(file);
      closeSync(file);
      await reader.close();
    },
  };
}
