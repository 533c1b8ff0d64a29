import { expect, test } from 'vitest';
import { importsOf } from './imports.js';
import { packageFolders, type Source, sourceOf, sourcesUnder } from './sources.js';

/**
 * Files that import each other in a circle, each circle once. Imports of types only are left out: nothing of them is loaded, and two
 * files that describe one thing may name each other's types.
 */
function cyclesIn(files: readonly Source[]): string[] {
  const graph = new Map(files.map((source) => [source.path, targetsOf(source)]));
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    const at = trail.indexOf(path);
    if (at >= 0) found.push([...trail.slice(at), path].join(' -> '));
    if (at >= 0 || done.has(path)) return;
    for (const next of graph.get(path) ?? []) visit(next, [...trail, path]);
    done.add(path);
  };
  for (const path of graph.keys()) visit(path, []);
  return found;
}

function targetsOf(source: Source): string[] {
  return importsOf(source).flatMap(({ target, typeOnly }) =>
    target.kind === 'ours' && !typeOnly ? [target.path] : [],
  );
}

test.each(packageFolders)('%s: no file is loaded by what it loads', (folder) => {
  const cycles = cyclesIn(sourcesUnder(folder));
  expect(cycles, 'move what both need into a third file, or pass it as a parameter').toEqual([]);
});

test('a cycle is found, and a cycle of types is none', () => {
  const files = [
    sourceOf('test/tidy/blank.ts', "import { root } from './sources.js';"),
    sourceOf('test/tidy/sources.ts', "export * from './imports.js';"),
    sourceOf('test/tidy/imports.ts', "import './blank.js';\nimport type { X } from './directions.js';"),
    sourceOf('test/tidy/directions.ts', "import { y } from './imports.js';"),
  ];
  expect(cyclesIn(files)).toEqual([
    'test/tidy/blank.ts -> test/tidy/sources.ts -> test/tidy/imports.ts -> test/tidy/blank.ts',
  ]);
});
