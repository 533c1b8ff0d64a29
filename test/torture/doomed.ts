import type { Signer } from '@berth/server/engine/issuer';
import type { FileSystem, OpenFile } from '@berth/server/store/files';
import { WebSocket } from 'ws';
import type { Doom, Point } from './points.js';

/** Counts the moments of one kind and ends the process at the one it was told. SIGKILL: nothing runs after it. */
export class Reaper {
  readonly #doom: Doom;
  #seen = 0;
  /** What is counted before the server serves is `while starting`, and nothing else is. */
  serving = false;

  constructor(doom: Doom) {
    this.#doom = doom;
  }

  /** @returns whether the next such moment is the last. */
  isNext(point: Point): boolean {
    return this.#counts(point) && this.#seen + 1 === this.#doom.at;
  }

  pass(point: Point): void {
    if (!this.#counts(point)) return;
    this.#seen += 1;
    if (this.#seen === this.#doom.at) process.kill(process.pid, 'SIGKILL');
  }

  /** An odd number dies just before it, an even one just after. */
  get isAfter(): boolean {
    return this.#doom.at % 2 === 0;
  }

  #counts(point: Point): boolean {
    return point === this.#doom.point && this.serving !== (point === 'while starting');
  }
}

/** The real disk, on which the process dies. */
export function doomedFiles(files: FileSystem, reaper: Reaper): FileSystem {
  const starting = <T>(call: Promise<T>): Promise<T> => {
    reaper.pass('while starting');
    return call;
  };
  return {
    open: async (path, mode) => doomedFile(await starting(files.open(path, mode)), path, reaper),
    list: (folder) => starting(files.list(folder)),
    makeFolder: (folder) => starting(files.makeFolder(folder)),
    remove: (path) => starting(files.remove(path)),
    rename: (from, to) => starting(files.rename(from, to)),
    syncFolder: (folder) => starting(files.syncFolder(folder)),
    freeBytes: (folder) => files.freeBytes(folder),
  };
}

function doomedFile(file: OpenFile, path: string, reaper: Reaper): OpenFile {
  const isSegment = path.endsWith('.log');
  return {
    write: async (bytes, position) => {
      reaper.pass('while starting');
      if (isSegment && reaper.isNext('in the middle of a write'))
        await file.write(bytes.subarray(0, bytes.length >> 1), position);
      if (isSegment) reaper.pass('in the middle of a write');
      await file.write(bytes, position);
    },
    read: (position, length) => file.read(position, length),
    truncate: async (size) => {
      reaper.pass('while starting');
      await file.truncate(size);
      reaper.pass('while starting');
    },
    datasync: async () => {
      if (isSegment) reaper.pass('before sync');
      await file.datasync();
      reaper.pass('while starting');
      reaper.pass(isSegment ? 'after sync before head' : 'after head before reply');
    },
    sync: () => file.sync(),
    size: () => file.size(),
    close: () => file.close(),
  };
}

export function doomedSigner(sign: Signer, reaper: Reaper): Signer {
  return (message) => {
    reaper.pass('while signing');
    return sign(message);
  };
}

/** Every frame of this process leaves through here; ws is the one module that the server uses too. */
export function doomSending(reaper: Reaper): void {
  const { send } = WebSocket.prototype;
  WebSocket.prototype.send = function (this: WebSocket, ...frame: unknown[]) {
    if (!reaper.isAfter) reaper.pass('while sending');
    (send as (...all: unknown[]) => void).apply(this, frame);
    if (reaper.isAfter) reaper.pass('while sending');
  } as typeof send;
}
