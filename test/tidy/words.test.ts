import { expect, test } from 'vitest';
import { lineOf } from './blank.js';
import { allFiles, packageOf, type Source, shipped, sourceOf, sources } from './sources.js';

/** Where a pattern stands in the code of a file, comments and strings left out. */
function inCode({ path, code }: Source, pattern: RegExp): string[] {
  return [...code.matchAll(pattern)].map(
    (match) => `${path}:${lineOf(code, match.index)} ${match[0].trim()}`,
  );
}

function inComments({ path, comments }: Source, pattern: RegExp): string[] {
  return comments
    .filter(({ text }) => pattern.test(text))
    .map(({ line, text }) => `${path}:${line} ${text.slice(0, 60)}`);
}

/** Also `as any` and `any[]`; not `Promise.any`, nor a property of that name. */
const anys = (source: Source): string[] => inCode(source, /(?<![.\w$'"])any(?![\w$'"(])(?!\??:)/g);

test('no any', () => {
  expect(sources.flatMap(anys), '`unknown`, and a check (STYLE 4)').toEqual([]);
  for (const line of ['let a: any;', 'f(a as any);', 'type A = any[];', 'new Map<string, any>();']) {
    expect(anys(sourceOf('x.ts', line)), line).toHaveLength(1);
  }
  const fine = "Promise.any(all); // any\nconst a = 'any'; AbortSignal.any([a]); const b = { any: 1 };";
  expect(anys(sourceOf('x.ts', fine))).toEqual([]);
});

/** A test may prove with `@ts-expect-error` that something does not compile; a source has no such excuse. */
function silenced(source: Source): string[] {
  const isTest = packageOf(source.path) === 'test';
  return inComments(source, isTest ? /@ts-(ignore|nocheck)/ : /@ts-(ignore|nocheck|expect-error)/);
}

test('the compiler is not silenced', () => {
  expect(sources.flatMap(silenced), 'say it in types').toEqual([]);
  for (const word of ['ignore', 'nocheck', 'expect-error']) {
    expect(silenced(sourceOf('server/src/x.ts', `// @ts-${word}\n`)), word).toHaveLength(1);
  }
  expect(silenced(sourceOf('test/unit/x.test.ts', '// @ts-expect-error\n'))).toEqual([]);
});

const unfinished = (source: Source): string[] => inComments(source, /\b(TODO|FIXME|XXX|HACK)\b/);

test('nothing is left for later', () => {
  expect(shipped.flatMap(unfinished), 'do it now, or file an issue and say its number').toEqual([]);
  expect(unfinished(sourceOf('x.ts', 'call(); // TODO: later'))).toHaveLength(1);
  expect(unfinished(sourceOf('x.ts', "const a = 'TODO';"))).toEqual([]);
});

/**
 * `.only` hides every other test, `.skip` and `.todo` hide their own. What cannot run somewhere says so where it is reported:
 * `context.skip('needs root')`.
 */
const hidden = (source: Source): string[] => [
  ...inCode(source, /(?<![\w$.])(it|test|describe|suite)(\.\w+)*\.(only|skip|skipIf|runIf|todo)\b/g),
  ...inCode(source, /\.skip\(\s*\)/g),
];

test('no test is hidden without a printed reason', () => {
  expect(sources.flatMap(hidden), "context.skip('the reason') inside the test").toEqual([]);
  const wrong = [
    'it.only(',
    'test.concurrent.only(',
    'describe.skip(',
    'test.skipIf(a)(',
    'it.todo(',
    'context.skip()',
  ];
  for (const line of wrong) expect(hidden(sourceOf('test/x.test.ts', line)), line).toHaveLength(1);
  expect(hidden(sourceOf('test/x.test.ts', "context.skip('needs root');"))).toEqual([]);
});

/** STYLE 2: a file is named for its noun. These words name none. */
const nameless = (path: string): boolean =>
  /(^|[/._-])(manager|helper|util|utility|utilities|common|misc)s?(?=[/._-]|$)/i.test(path);

test('files and folders are named for what is in them', () => {
  const ours = allFiles.filter((path) => packageOf(path) !== null);
  expect(ours.filter(nameless), 'name the noun (STYLE 2)').toEqual([]);
  for (const path of [
    'server/src/lease-manager.ts',
    'test/utils/x.ts',
    'server/src/Helpers.ts',
    'a/common.js',
  ]) {
    expect(nameless(path), path).toBe(true);
  }
  expect(nameless('admin-cli/src/commands/all.ts')).toBe(false);
  expect(nameless('test/unit/uncommon.ts')).toBe(false);
});
