import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Blanked, blank } from './blank.js';

export const root = fileURLToPath(new URL('../..', import.meta.url));

/** One of our TypeScript files. Paths everywhere in these tests are relative to the root, with slashes. */
export interface Source extends Blanked {
  readonly path: string;
  readonly text: string;
}

/** The workspaces, and how other workspaces name them. */
export const packages = {
  protocol: '@berth/protocol',
  'client-sdk': '@berth/client',
  server: '@berth/server',
  'admin-cli': '@berth/cli',
  examples: '@berth/examples',
  test: '@berth/test',
} as const;
export type PackageFolder = keyof typeof packages;
export const packageFolders = Object.keys(packages) as PackageFolder[];

/** What is made, fetched or not ours. */
const ignored = new Set(['node_modules', 'dist', 'coverage', '.git']);

/** Every file of ours, whatever it is. */
export const allFiles: readonly string[] = filesUnder('');

/** Every TypeScript file of ours. */
export const sources: readonly Source[] = allFiles
  .filter((path) => path.endsWith('.ts'))
  .map((path) => sourceOf(path, read(path)));

/** What ships: everything but the tests. */
export const shipped: readonly Source[] = sources.filter(({ path }) => packageOf(path) !== 'test');

export function sourceOf(path: string, text: string): Source {
  return { path, text, ...blank(text) };
}

export function read(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

export function sourcesUnder(folder: string): Source[] {
  return sources.filter(({ path }) => path.startsWith(`${folder}/`));
}

/** The workspace a file is in; `null` for files of the root. */
export function packageOf(path: string): PackageFolder | null {
  return packageFolders.find((folder) => path.startsWith(`${folder}/`)) ?? null;
}

/** Where a relative path leads from a file, with slashes. */
export function besides(path: string, relative: string): string {
  return join(dirname(path), relative).split('\\').join('/');
}

function filesUnder(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (ignored.has(entry.name)) return [];
    return entry.isDirectory() ? filesUnder(path) : [path];
  });
}
