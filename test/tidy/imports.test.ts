// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these strings are source text.
import { expect, test } from 'vitest';
import { blank } from './blank.js';
import { importsOf } from './imports.js';
import { allFiles, sourceOf, sources } from './sources.js';

const read = (text: string) =>
  importsOf(sourceOf('server/src/engine/x.ts', text)).map(({ specifier, typeOnly }) => [specifier, typeOnly]);

test('every form of import is read, and what is left of it after compiling', () => {
  const forms = [
    "import a from 'a';",
    "import * as b from 'b';",
    "import {\n  c,\n  type C,\n} from 'c';",
    "import type { D } from 'd';",
    "export { e } from 'e';",
    "export type * from 'f';",
    "import 'g';",
    "const h = await import('h');",
    "type I = typeof import('i');",
    "import { type J } from 'j';",
    "export type { K };\nimport l from 'l';",
  ];
  expect(read(forms.join('\n'))).toEqual([
    ['a', false],
    ['b', false],
    ['c', false],
    ['d', true],
    ['e', false],
    ['f', true],
    ['g', false],
    ['h', false],
    ['i', true],
    ['j', false],
    ['l', false],
  ]);
});

test('an import in a comment, a string, a template or a regular expression is none', () => {
  const text = [
    "// import a from 'a';",
    "/* import b from 'b'; */",
    `const c = "import c from 'c'";`,
    "const d = `import d from 'd' ${`nested ${1} import 'e'`} import 'f'`;",
    "const g = /import 'g'/.test('') ? 6 / 2 : 1 / 3;",
    "import h from 'h';",
  ].join('\n');
  expect(read(text)).toEqual([['h', false]]);
});

test('blanking keeps every character in its place', () => {
  const text = "const a = 'it''s'; // why\nconst b = /[/'\"]/.exec(a)![0]! / 2; /* x\ny */ call(`${a}}`);\n";
  const { code, comments } = blank(text);
  expect(code).toHaveLength(text.length);
  expect(code.split('\n')).toHaveLength(text.split('\n').length);
  expect(comments.map(({ line, text: words }) => [line, words])).toEqual([
    [1, '// why'],
    [2, '/* x\ny */'],
  ]);
  expect(code).toContain('call(`${a} `)');
});

test('the scanner reads our own files: braces balance in each', () => {
  const odd = sources.filter(({ code }) => code.split('{').length !== code.split('}').length);
  expect(
    odd.map(({ path }) => path),
    'blank.ts does not understand something in here',
  ).toEqual([]);
});

test('the scanner follows our own imports: each leads to a file', () => {
  const lost = sources.flatMap((source) =>
    importsOf(source)
      .filter(({ target }) => target.kind === 'ours' && !allFiles.includes(target.path))
      .map(({ line, specifier }) => `${source.path}:${line} imports ${specifier}`),
  );
  expect(lost).toEqual([]);
});
