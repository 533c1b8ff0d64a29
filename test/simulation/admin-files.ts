import type { Sink } from '@berth/cli/context';
import { failure } from '../store/faulty-files.js';

/** What an admin has on the disk of their own computer, as `berth` writes it: nothing of it is ever lost. */
export class AdminFiles {
  readonly #contents = new Map<string, Uint8Array[]>();
  #begun = 0;

  /** A name that no file had. */
  newName(): string {
    this.#begun += 1;
    return `audit-${this.#begun}.jsonl`;
  }

  /** The files that have their name: what is not whole, or was not proved, has another one. */
  get exports(): { readonly name: string; readonly text: string }[] {
    return [...this.#contents]
      .filter(([name]) => name.endsWith('.jsonl'))
      .map(([name, parts]) => ({ name, text: Buffer.concat(parts).toString() }));
  }

  async *chunks(path: string): AsyncGenerator<Uint8Array, void, undefined> {
    const parts = this.#contents.get(path);
    if (parts === undefined) throw failure('ENOENT');
    yield* parts;
  }

  async create(path: string, _mode: number, exclusive: boolean): Promise<Sink> {
    if (exclusive && this.#contents.has(path)) throw failure('EEXIST');
    const parts: Uint8Array[] = [];
    this.#contents.set(path, parts);
    return {
      write: async (bytes) => {
        parts.push(Buffer.from(bytes));
      },
      close: async () => {},
    };
  }

  async name(from: string, to: string): Promise<void> {
    const parts = this.#contents.get(from);
    if (parts === undefined) throw failure('ENOENT');
    if (this.#contents.has(to)) throw failure('EEXIST');
    this.#contents.delete(from);
    this.#contents.set(to, parts);
  }

  async remove(path: string): Promise<void> {
    if (!this.#contents.delete(path)) throw failure('ENOENT');
  }
}
