import { closeSync, fstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { byTime, type Entry, parseLines } from '../auditor/history.js';

/** What the clients have written, read as it grows: each line once. */
export class GrowingLogs {
  readonly #folder: string;
  readonly #read = new Map<string, number>();
  readonly #all: Entry[] = [];

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** All that was read so far, by time. */
  get entries(): Entry[] {
    return byTime(this.#all);
  }

  /** What has come since the last call, by time. */
  more(): Entry[] {
    const fresh: Entry[] = [];
    for (const name of readdirSync(this.#folder)) {
      if (!name.endsWith('.jsonl')) continue;
      const text = this.#rest(name);
      for (const entry of parseLines(text, name)) fresh.push(entry);
    }
    for (const entry of fresh) this.#all.push(entry);
    return byTime(fresh);
  }

  /** Whole lines only: the last may still be on its way. */
  #rest(name: string): string {
    const from = this.#read.get(name) ?? 0;
    const file = openSync(join(this.#folder, name), 'r');
    try {
      const bytes = Buffer.alloc(fstatSync(file).size - from);
      readSync(file, bytes, 0, bytes.length, from);
      const end = bytes.lastIndexOf(10) + 1;
      this.#read.set(name, from + end);
      return bytes.toString('utf8', 0, end);
    } finally {
      closeSync(file);
    }
  }
}
