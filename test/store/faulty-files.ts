import { basename, dirname } from 'node:path';
import type { FileSystem, OpenFile, OpenMode } from '@berth/server/store/files';
import type { Random } from './random.js';

/** What of the unsynced writes is on the disk after a power cut: nothing, everything, or any part, torn anywhere. */
export type Survivors = 'NONE' | 'ALL' | Random;

type Change = { readonly bytes: Uint8Array; readonly position: number } | { readonly size: number };

/** One file: what reads see, what is durable, and the changes between the two. */
class Content {
  readonly #cached = new Bytes();
  readonly #durable = new Bytes();
  changes: Change[] = [];

  /** As reads see it now: a view, for whoever copies it at once. */
  get cached(): Uint8Array {
    return this.#cached.view;
  }

  apply(change: Change): void {
    this.#cached.apply(change);
    this.changes.push(change);
  }

  sync(): void {
    for (const change of this.changes) this.#durable.apply(change);
    this.changes = [];
  }

  /** Everything in it is new, and durable. */
  replace(bytes: Uint8Array): void {
    this.changes = [];
    this.#cached.copyFrom(bytes);
    this.#durable.copyFrom(bytes);
  }

  /** After a power cut. */
  settle(survivors: Survivors): void {
    if (survivors === 'ALL') this.sync();
    if (typeof survivors === 'function') {
      for (const change of this.changes) {
        const survived = tear(change, survivors);
        if (survived) this.#durable.apply(survived);
      }
    }
    this.changes = [];
    this.#cached.copyFrom(this.#durable.view);
  }
}

/** Bytes that grow in place, with room to spare: a journal is written to thousands of times. Beyond their length all of the room is zero. */
class Bytes {
  #room = new Uint8Array(0);
  #length = 0;

  get view(): Uint8Array {
    return this.#room.subarray(0, this.#length);
  }

  apply(change: Change): void {
    if ('size' in change) this.#resize(change.size);
    else {
      this.#resize(Math.max(this.#length, change.position + change.bytes.length));
      this.#room.set(change.bytes, change.position);
    }
  }

  copyFrom(bytes: Uint8Array): void {
    this.#resize(bytes.length);
    this.#room.set(bytes);
  }

  #resize(length: number): void {
    if (length > this.#room.length) {
      const room = new Uint8Array(2 * length);
      room.set(this.view);
      this.#room = room;
    }
    this.#room.fill(0, length, Math.max(length, this.#length));
    this.#length = length;
  }
}

/**
 * A disk in memory that loses what was not synced. Every call that changes something counts as one step; `crashAt` cuts the
 * power during that step and `failAt` lets it fail with an errno. A write that does not succeed may be applied in part.
 */
export class FaultyFiles implements FileSystem {
  steps = 0;
  crashAt = Number.POSITIVE_INFINITY;
  failAt = Number.POSITIVE_INFINITY;
  errno = 'EIO';
  /** What of a write that fails is in the file. */
  failingWrites: 'HALF' | 'NONE' = 'HALF';
  /** No file can grow. */
  full = false;
  /** Said to whoever asks, bytes. */
  free = 1e12;
  openFiles = 0;
  #names = new Map<string, Content>();
  #durableNames = new Map<string, Content>();
  #folders = new Set<string>();

  async open(path: string, mode: OpenMode): Promise<OpenFile> {
    this.#checkPower();
    let content = this.#names.get(path);
    if (!content) {
      if (mode !== 'create' || !this.#folders.has(dirname(path))) throw failure('ENOENT');
      content = new Content();
      const created = content;
      this.#change(() => this.#names.set(path, created));
    }
    this.openFiles += 1;
    return this.#openFile(content, mode !== 'read');
  }

  async list(folder: string): Promise<string[]> {
    this.#checkPower();
    if (!this.#folders.has(folder)) throw failure('ENOENT');
    return this.names(folder);
  }

  async makeFolder(folder: string): Promise<void> {
    this.#checkPower();
    this.#folders.add(folder);
  }

  async remove(path: string): Promise<void> {
    if (!this.#names.has(path)) throw failure('ENOENT');
    this.#change(() => this.#names.delete(path));
  }

  async rename(from: string, to: string): Promise<void> {
    const content = this.#names.get(from);
    if (!content) throw failure('ENOENT');
    this.#change(() => {
      this.#names.delete(from);
      this.#names.set(to, content);
    });
  }

  async syncFolder(folder: string): Promise<void> {
    this.#sync(() => {
      for (const path of new Set([...this.#names.keys(), ...this.#durableNames.keys()])) {
        if (dirname(path) === folder) copyName(path, this.#names, this.#durableNames);
      }
    });
  }

  async freeBytes(): Promise<number> {
    return this.free;
  }

  /** Cuts the power and turns it on again: only `survivors` of what was not synced is left. */
  powerCut(survivors: Survivors): void {
    if (survivors === 'ALL') this.#durableNames = new Map(this.#names);
    for (const path of new Set([...this.#names.keys(), ...this.#durableNames.keys()])) {
      const renamed = this.#names.get(path) !== this.#durableNames.get(path);
      if (typeof survivors === 'function' && renamed && survivors(2)) {
        copyName(path, this.#names, this.#durableNames);
      }
    }
    for (const content of new Set(this.#durableNames.values())) content.settle(survivors);
    this.#names = new Map(this.#durableNames);
    this.crashAt = Number.POSITIVE_INFINITY;
    this.failAt = Number.POSITIVE_INFINITY;
    this.openFiles = 0;
  }

  /** A copy of the whole disk, everything on it durable. */
  clone(): FaultyFiles {
    const copy = new FaultyFiles();
    copy.#folders = new Set(this.#folders);
    for (const [path, { cached }] of this.#names) copy.put(path, cached);
    return copy;
  }

  /** The files and their content, for comparing. */
  snapshot(): Record<string, string> {
    const files = [...this.#names].map(([path, { cached }]): [string, string] => [path, hex(cached)]);
    return Object.fromEntries(files.sort());
  }

  get(path: string): Buffer {
    const content = this.#names.get(path);
    if (!content) throw failure('ENOENT');
    return Buffer.from(content.cached);
  }

  names(folder: string): string[] {
    return [...this.#names.keys()].filter((path) => dirname(path) === folder).map((path) => basename(path));
  }

  put(path: string, bytes: Uint8Array): void {
    const content = new Content();
    content.replace(bytes);
    this.#names.set(path, content);
    this.#durableNames.set(path, content);
  }

  delete(path: string): void {
    this.#names.delete(path);
    this.#durableNames.delete(path);
  }

  #openFile(content: Content, writable: boolean): OpenFile {
    const applyPart = (wanted: Change): void => {
      if (this.failingWrites === 'HALF') content.apply(half(wanted));
    };
    const change = (wanted: Change) => {
      if (!writable) throw failure('EBADF');
      if (this.full && 'bytes' in wanted && wanted.position + wanted.bytes.length > content.cached.length) {
        applyPart(wanted);
        throw failure('ENOSPC');
      }
      this.#change(
        () => content.apply(wanted),
        () => applyPart(wanted),
      );
    };
    return {
      write: async (bytes, position) => change({ bytes: Uint8Array.from(bytes), position }),
      read: async (position, length) => {
        this.#checkPower();
        return content.cached.slice(position, position + length);
      },
      truncate: async (size) => change({ size }),
      datasync: async () => this.#sync(() => content.sync()),
      sync: async () => this.#sync(() => content.sync()),
      size: async () => content.cached.length,
      close: async () => {
        this.openFiles -= 1;
      },
    };
  }

  #change(apply: () => void, applyPart: () => void = () => {}): void {
    const fate = this.#nextStep();
    if (fate === 'FAIL') applyPart();
    // Cut off during a write, it is like any unsynced write: `powerCut` decides what is left of it.
    else apply();
    this.#finishStep(fate);
  }

  #sync(apply: () => void): void {
    const fate = this.#nextStep();
    if (fate === 'DONE') apply();
    this.#finishStep(fate);
  }

  #nextStep(): 'DONE' | 'FAIL' | 'CRASH' {
    this.#checkPower();
    this.steps += 1;
    if (this.steps === this.crashAt) return 'CRASH';
    return this.steps === this.failAt ? 'FAIL' : 'DONE';
  }

  #finishStep(fate: 'DONE' | 'FAIL' | 'CRASH'): void {
    if (fate === 'FAIL') throw failure(this.errno);
    if (fate === 'CRASH') throw failure('CRASHED');
  }

  #checkPower(): void {
    if (this.steps >= this.crashAt) throw failure('CRASHED');
  }
}

export function failure(code: string): Error {
  return Object.assign(new Error(code), { code });
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function half(change: Change): Change {
  if ('size' in change) return change;
  return { bytes: change.bytes.subarray(0, change.bytes.length >> 1), position: change.position };
}

/** All of a change, none of it, its beginning or its end, as sectors written in any order leave it. */
function tear(change: Change, random: Random): Change | null {
  const fate = random(4);
  if (fate === 0) return null;
  if (fate === 1 || 'size' in change) return change;
  const middle = random(change.bytes.length + 1);
  if (fate === 2) return { bytes: change.bytes.subarray(0, middle), position: change.position };
  return { bytes: change.bytes.subarray(middle), position: change.position + middle };
}

function copyName(path: string, from: Map<string, Content>, to: Map<string, Content>): void {
  const content = from.get(path);
  if (content) to.set(path, content);
  else to.delete(path);
}
