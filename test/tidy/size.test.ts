import { expect, test } from 'vitest';
import { functionsOf } from './functions.js';
import { type Source, shipped, sourceOf, sources } from './sources.js';

/** STYLE 1: look again at a file of 400 lines, and at one of 300 when it is touched anyway; no function above 70. */
const HARD_FILE_LINES = 400;
const SOFT_FILE_LINES = 300;
const HARD_FUNCTION_LINES = 70;

/** Longer, and for a reason. A file that has become shorter is taken off the list. */
const allowedFiles: { readonly [path: string]: string } = {
  'protocol/src/errors.ts': 'one table: a row for every error there is, and nothing else',
};

function linesOf({ text }: Source): number {
  return text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
}

function longFiles(files: readonly Source[], limit: number): string[] {
  return files
    .filter((source) => linesOf(source) > limit)
    .sort((a, b) => linesOf(b) - linesOf(a))
    .map((source) => `${source.path} has ${linesOf(source)} lines`);
}

function longFunctions(files: readonly Source[]): string[] {
  return files.flatMap((source) =>
    functionsOf(source)
      .filter(({ lines }) => lines > HARD_FUNCTION_LINES)
      .map(({ line, lines }) => `${source.path}:${line} has a function of ${lines} lines`),
  );
}

test(`files have at most ${HARD_FILE_LINES} lines`, (context) => {
  const unlisted = sources.filter(({ path }) => !(path in allowedFiles));
  const long = longFiles(unlisted, SOFT_FILE_LINES);
  if (long.length > 0) context.annotate(`over ${SOFT_FILE_LINES} lines: ${long.join('; ')}`);
  expect(
    longFiles(unlisted, HARD_FILE_LINES),
    'there are two things in it: give the second its own file',
  ).toEqual([]);
});

test('the list of files that may be longer is not stale', () => {
  const stale = Object.keys(allowedFiles).filter(
    (path) =>
      longFiles(
        sources.filter((source) => source.path === path),
        HARD_FILE_LINES,
      ).length === 0,
  );
  expect(stale, 'short enough now: take it off the list').toEqual([]);
});

test(`functions have at most ${HARD_FUNCTION_LINES} lines`, () => {
  expect(longFunctions(shipped), 'name its parts').toEqual([]);
});

test('a long file and a long function are found', () => {
  const body = (lines: number): string => 'call();\n'.repeat(lines - 2);
  const openings = [
    'function f() {',
    'async function* f<T>(a: T): AsyncGenerator<T, void> {',
    'function f(): { a: string; b: number } {',
    'function f(): (a: string) => void {',
    'const f = (a: number): number => {',
    'class A { async #m(a = g()): Promise<void> {',
  ];
  for (const opening of openings) {
    const close = opening.startsWith('class') ? '} }' : '}';
    const long = sourceOf('server/src/x.ts', `${opening}\n${body(71)}${close}\n`);
    const short = sourceOf('server/src/x.ts', `${opening}\n${body(70)}${close}\n`);
    expect(longFunctions([long]), opening).toEqual(['server/src/x.ts:1 has a function of 71 lines']);
    expect(longFunctions([short]), opening).toEqual([]);
  }
  for (const opening of [
    'class A {',
    'const a = {',
    'if (a(b)) {',
    'for await (const a of b()) {',
    'switch (a) {',
  ]) {
    expect(longFunctions([sourceOf('server/src/x.ts', `${opening}\n${body(99)}}\n`)]), opening).toEqual([]);
  }
  expect(longFiles([sourceOf('server/src/x.ts', 'a;\n'.repeat(401))], HARD_FILE_LINES)).toHaveLength(1);
  expect(longFiles([sourceOf('server/src/x.ts', 'a;\n'.repeat(400))], HARD_FILE_LINES)).toHaveLength(0);
});
