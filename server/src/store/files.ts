import { constants } from 'node:fs';
import * as fs from 'node:fs/promises';

/**
 * The disk, as the journal sees it. It is injected so that a test or the simulator can tear, drop and fail writes.
 *
 * Every method rejects with an `Error` whose `code` is the errno name (`ENOENT`, `EIO`, `ENOSPC`, ...). Nothing is durable
 * before the matching sync: content after `datasync` or `sync` of the file, a created, removed or renamed name after
 * `syncFolder` of its folder.
 */
export interface FileSystem {
  /**
   * `read`: must exist. `write`: read and write, must exist. `create`: read and write, created empty when missing, and kept
   * as it is when not. Rejects with `ENOENT` when a file that must exist does not.
   */
  open(path: string, mode: OpenMode): Promise<OpenFile>;
  /** Names (not paths) of the files and folders in `folder`, in any order. Rejects with `ENOENT` when there is no folder. */
  list(folder: string): Promise<string[]>;
  /** Creates `folder` and its missing parents; one that exists is fine. */
  makeFolder(folder: string): Promise<void>;
  /** Removes one file. Rejects with `ENOENT` when there is none. */
  remove(path: string): Promise<void>;
  /** Moves a file, replacing `to` in one step. */
  rename(from: string, to: string): Promise<void>;
  /** Makes the names in `folder` durable. */
  syncFolder(folder: string): Promise<void>;
  /** Bytes an unprivileged process may still write on the disk that holds `folder`. */
  freeBytes(folder: string): Promise<number>;
}

export type OpenMode = 'read' | 'write' | 'create';

export interface OpenFile {
  /** Writes all of `bytes` at `position` (bytes from the start); a gap before it reads as zeros. On failure any part may be written. */
  write(bytes: Uint8Array, position: number): Promise<void>;
  /** Up to `length` bytes from `position`: fewer only at the end of the file. */
  read(position: number, length: number): Promise<Uint8Array>;
  /** Cuts or extends (with zeros) the file to `size` bytes. */
  truncate(size: number): Promise<void>;
  /** Makes the content and the size durable (`fdatasync`). */
  datasync(): Promise<void>;
  /** Makes the content and all metadata durable (`fsync`). */
  sync(): Promise<void>;
  /** Size in bytes. */
  size(): Promise<number>;
  close(): Promise<void>;
}

/** Only the owner may read: the data folder holds the server's key, names and e-mail addresses. */
const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;

const OPEN_FLAGS: Record<OpenMode, number> = {
  read: constants.O_RDONLY,
  write: constants.O_RDWR,
  create: constants.O_RDWR | constants.O_CREAT,
};

/** The real disk. */
export const nodeFiles: FileSystem = {
  open: async (path, mode) => new NodeFile(path, await fs.open(path, OPEN_FLAGS[mode], FILE_MODE)),
  list: (folder) => fs.readdir(folder),
  makeFolder: async (folder) => {
    await fs.mkdir(folder, { recursive: true, mode: FOLDER_MODE });
  },
  remove: (path) => fs.unlink(path),
  rename: (from, to) => fs.rename(from, to),
  syncFolder,
  freeBytes: async (folder) => {
    const { bavail, bsize } = await fs.statfs(folder);
    return bavail * bsize;
  },
};

class NodeFile implements OpenFile {
  readonly #path: string;
  readonly #handle: fs.FileHandle;

  constructor(path: string, handle: fs.FileHandle) {
    this.#path = path;
    this.#handle = handle;
  }

  write(bytes: Uint8Array, position: number): Promise<void> {
    return naming(this.#path, async () => {
      let done = 0;
      while (done < bytes.length) {
        const { bytesWritten } = await this.#handle.write(bytes, done, bytes.length - done, position + done);
        // A short write is legal (a disk that fills up, a signal); one of nothing would loop for ever.
        if (bytesWritten === 0)
          throw Object.assign(new Error('EIO: nothing was written, write'), { code: 'EIO' });
        done += bytesWritten;
      }
    });
  }

  read(position: number, length: number): Promise<Uint8Array> {
    return naming(this.#path, async () => {
      const bytes = Buffer.allocUnsafeSlow(length);
      let done = 0;
      while (done < length) {
        const { bytesRead } = await this.#handle.read(bytes, done, length - done, position + done);
        if (bytesRead === 0) break;
        done += bytesRead;
      }
      return bytes.subarray(0, done);
    });
  }

  truncate(size: number): Promise<void> {
    return naming(this.#path, () => this.#handle.truncate(size));
  }

  datasync(): Promise<void> {
    return naming(this.#path, () => this.#handle.datasync());
  }

  sync(): Promise<void> {
    return naming(this.#path, () => this.#handle.sync());
  }

  size(): Promise<number> {
    return naming(this.#path, async () => (await this.#handle.stat()).size);
  }

  close(): Promise<void> {
    return naming(this.#path, () => this.#handle.close());
  }
}

/** Node's errors of an open file do not say of which (`EIO: i/o error, fdatasync`): a person has to know. */
async function naming<T>(path: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof Error && !error.message.includes(path)) error.message += ` '${path}'`;
    throw error;
  }
}

async function syncFolder(folder: string): Promise<void> {
  // Windows has no fsync of a folder (opening one fails with EISDIR or EPERM); NTFS journals its names itself.
  if (process.platform === 'win32') return;
  const handle = await fs.open(folder, constants.O_RDONLY);
  try {
    await naming(folder, () => handle.sync());
  } finally {
    await handle.close();
  }
}
