import { basename } from 'node:path';
import type { FileSystem, OpenFile, OpenMode } from '@berth/server/store/files';

/** How one operation of the disk fails. */
export interface Failure {
  /** The operation, from 1. */
  readonly at: number;
  readonly errno: 'EIO' | 'ENOSPC';
  /** `before`: nothing of it is done; `half`: a write is short, then it fails; `after`: all of it is done, and it fails all the same. */
  readonly done: 'before' | 'half' | 'after';
  /** All later operations of this kind fail too, until the disk is opened again. */
  readonly lasts: boolean;
}

/** One operation. Only one that makes something bigger can find the disk full. */
export interface Operation {
  readonly call: string;
  readonly effect: 'reads' | 'grows' | 'changes';
}
type Effect = Operation['effect'];

/**
 * A disk of which one operation fails, whichever it is, reads and closes too. Its errors say as much as those of the real one (`nodeFiles`).
 */
export class FailingFiles implements FileSystem {
  /** All operations so far. */
  readonly trace: Operation[] = [];
  /** What failed first, `write head` for instance; null: nothing yet. */
  failed: string | null = null;
  readonly #files: FileSystem;
  readonly #failure: Failure | null;

  constructor(files: FileSystem, failure: Failure | null) {
    this.#files = files;
    this.#failure = failure;
  }

  get count(): number {
    return this.trace.length;
  }

  async open(path: string, mode: OpenMode): Promise<OpenFile> {
    const effect = mode === 'create' ? 'grows' : 'reads';
    const file = await this.#step({ call: 'open', effect, path }, () => this.#files.open(path, mode));
    return this.#openFile(file, path);
  }

  list(folder: string): Promise<string[]> {
    return this.#step({ call: 'scandir', effect: 'reads', path: folder }, () => this.#files.list(folder));
  }

  makeFolder(folder: string): Promise<void> {
    const call = { call: 'mkdir', effect: 'grows', path: folder } as const;
    return this.#step(call, () => this.#files.makeFolder(folder));
  }

  remove(path: string): Promise<void> {
    return this.#step({ call: 'unlink', effect: 'changes', path }, () => this.#files.remove(path));
  }

  rename(from: string, to: string): Promise<void> {
    return this.#step({ call: 'rename', effect: 'changes', path: from }, () => this.#files.rename(from, to));
  }

  syncFolder(folder: string): Promise<void> {
    const call = { call: 'fsync', effect: 'grows', path: folder } as const;
    return this.#step(call, () => this.#files.syncFolder(folder));
  }

  freeBytes(folder: string): Promise<number> {
    const call = { call: 'statfs', effect: 'reads', path: folder } as const;
    return this.#step(call, () => this.#files.freeBytes(folder));
  }

  #openFile(file: OpenFile, path: string): OpenFile {
    const step = <T>(call: string, effect: Effect, work: () => Promise<T>, half?: () => Promise<unknown>) =>
      this.#step({ call, effect, path }, work, half);
    return {
      write: (bytes, position) =>
        step(
          'write',
          'grows',
          () => file.write(bytes, position),
          () => file.write(bytes.subarray(0, bytes.length >> 1), position),
        ),
      read: (position, length) => step('read', 'reads', () => file.read(position, length)),
      truncate: (size) => step('ftruncate', 'changes', () => file.truncate(size)),
      datasync: () => step('fdatasync', 'grows', () => file.datasync()),
      sync: () => step('fsync', 'grows', () => file.sync()),
      size: () => step('fstat', 'reads', () => file.size()),
      // A file is closed whatever close says.
      close: async () => {
        await file.close();
        await step('close', 'grows', async () => undefined);
      },
    };
  }

  async #step<T>(
    { call, effect, path }: Operation & { readonly path: string },
    work: () => Promise<T>,
    half: () => Promise<unknown> = async () => undefined,
  ): Promise<T> {
    this.trace.push({ call, effect });
    if (!this.#fails(effect)) return work();
    const { errno, done } = this.#failure!;
    this.failed ??= `${call} ${basename(path)}`;
    if (done === 'half') await half();
    if (done === 'after') await work();
    const text = errno === 'EIO' ? 'i/o error' : 'no space left on device';
    throw Object.assign(new Error(`${errno}: ${text}, ${call} '${path}'`), { code: errno });
  }

  #fails(effect: Effect): boolean {
    const failure = this.#failure;
    if (failure === null || this.count < failure.at) return false;
    if (failure.errno === 'ENOSPC' && effect !== 'grows') return false;
    // A full disk fails the first thing that needs space.
    return failure.lasts || this.count === failure.at;
  }
}
