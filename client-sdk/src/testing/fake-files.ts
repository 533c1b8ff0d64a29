import type { Files } from '../host.js';

/** The disk of one device, in memory. */
export class FakeFiles implements Files {
  readonly #contents = new Map<string, string>();

  async read(path: string): Promise<string | null> {
    return this.#contents.get(path) ?? null;
  }
  async write(path: string, text: string): Promise<void> {
    this.#contents.set(path, text);
  }
  async create(path: string, text: string): Promise<boolean> {
    if (this.#contents.has(path)) return false;
    this.#contents.set(path, text);
    return true;
  }
  async remove(path: string): Promise<void> {
    for (const known of [...this.#contents.keys()]) {
      if (known === path || known.startsWith(`${path}/`)) this.#contents.delete(known);
    }
  }
  async list(folder: string): Promise<string[]> {
    const names = [...this.#contents.keys()]
      .filter((path) => path.startsWith(`${folder}/`))
      .map((path) => path.slice(folder.length + 1).split('/')[0] ?? '');
    return [...new Set(names)].sort();
  }
  locate(path: string): string {
    return `memory:${path}`;
  }
}
