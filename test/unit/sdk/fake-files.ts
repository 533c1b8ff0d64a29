import { BerthError, type Files } from '@berth/client';

/** A disk in memory that several hosts can share. `fail` makes writes to matching paths fail. */
export class FakeFiles implements Files {
  readonly contents: Map<string, string>;
  fail: RegExp | null = null;

  constructor(contents = new Map<string, string>()) {
    this.contents = contents;
  }

  async read(path: string): Promise<string | null> {
    return this.contents.get(path) ?? null;
  }
  async write(path: string, text: string): Promise<void> {
    if (this.fail?.test(path)) throw new BerthError('FOLDER_UNWRITABLE');
    this.contents.set(path, text);
  }
  async create(path: string, text: string): Promise<boolean> {
    if (this.contents.has(path)) return false;
    await this.write(path, text);
    return true;
  }
  async remove(path: string): Promise<void> {
    for (const known of [...this.contents.keys()]) {
      if (known === path || known.startsWith(`${path}/`)) this.contents.delete(known);
    }
  }
  async list(folder: string): Promise<string[]> {
    const names = [...this.contents.keys()]
      .filter((path) => path.startsWith(`${folder}/`))
      .map((path) => path.slice(folder.length + 1).split('/')[0]!);
    return [...new Set(names)].sort();
  }
  locate(path: string): string {
    return `/fake/${path}`;
  }

  under(folder: string): string[] {
    return [...this.contents.keys()].filter((path) => path.startsWith(`${folder}/`));
  }
}
