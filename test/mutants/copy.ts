import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';

import { dirname, join } from 'node:path';
import { atEnd } from '../system/at-end.js';
import { edited, type Mutant } from './mutant.js';

/** The packages that a simulation is made of, and their names in `node_modules/@berth`. */
const packages = {
  ...{ protocol: 'protocol', 'client-sdk': 'client', server: 'server' },
  ...{ 'admin-cli': 'cli', test: 'test' },
} as const;

/** A copy of the built workspace in a folder of its own, whose packages find each other and not the originals. */
export class Copy {
  readonly folder: string;
  readonly #root: string;
  /** Whoever interrupts a run must not find its copies a week later. */
  readonly #stays: () => void;

  /** @param root the built workspace */
  constructor(root: string) {
    this.#root = root;
    this.folder = mkdtempSync(join(tmpdir(), 'berth-mutant-'));
    this.#stays = atEnd(() => rmSync(this.folder, { recursive: true, force: true }));
    for (const name of Object.keys(packages)) {
      for (const part of ['package.json', 'dist'])
        cpSync(join(root, name, part), join(this.folder, name, part), {
          recursive: true,
          filter: (path) => !/\.(map|d\.ts|tsbuildinfo)$/.test(path),
        });
    }
    this.#link();
  }

  /** Runs `work` with the mutant planted in the copy, and puts the copy back as it was. */
  async with<T>(mutant: Mutant, work: () => Promise<T>): Promise<T> {
    const planted = plant(this.#root, mutant);
    for (const [file, content] of planted) writeFileSync(join(this.folder, file), content);
    try {
      return await work();
    } finally {
      for (const file of planted.keys())
        writeFileSync(join(this.folder, file), readFileSync(join(this.#root, file)));
    }
  }

  remove(): void {
    this.#stays();
    rmSync(this.folder, { recursive: true });
  }

  /** Their libraries are those of the workspace. */
  #link(): void {
    const modules = join(this.folder, 'node_modules');
    mkdirSync(join(modules, '@berth'), { recursive: true });
    for (const [folder, name] of Object.entries(packages))
      symlinkSync(join(this.folder, folder), join(modules, '@berth', name));
    const libraries = join(this.#root, 'node_modules');
    for (const name of readdirSync(libraries))
      if (name !== '@berth' && !name.startsWith('.')) symlinkSync(join(libraries, name), join(modules, name));
  }
}

/** The files that a mutant changes, as they become. Throws when a text is not there exactly once. */
export function plant(root: string, { name, edits }: Mutant): Map<string, string> {
  const files = new Map<string, string>();
  for (const file of new Set(edits.map((each) => each.file))) {
    const content = readFileSync(join(root, file), 'utf8');
    files.set(
      file,
      edited(
        content,
        edits.filter((each) => each.file === file),
        name,
      ),
    );
  }
  return files;
}

/** The root of the workspace, from `test/dist/mutants`. */
export const workspace = dirname(dirname(dirname(import.meta.dirname)));
