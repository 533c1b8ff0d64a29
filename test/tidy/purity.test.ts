// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these strings are source text.
import { expect, test } from 'vitest';
import { lineOf } from './blank.js';
import { importsOf } from './imports.js';
import { type Source, sourceOf, sourcesUnder } from './sources.js';

interface Purity {
  /** What these files may not touch: clocks, randomness, timers, input and output, and the host they run in. */
  readonly globals: RegExp;
  /** The only packages they may import; `null`: directions.test.ts says. */
  readonly packages: readonly string[] | null;
}

const host = 'setTimeout|setInterval|setImmediate|console|process|crypto|performance|Buffer|fetch|globalThis';

const rules = {
  domain: { globals: words(`Date|Math\\.random|queueMicrotask|${host}`), packages: ['@berth/protocol'] },
  // It computes calendar days, so it may use Date on numbers it is given; it never asks what time it is.
  protocol: {
    globals: words(`Date\\.now|new Date\\(\\)|Math\\.random|queueMicrotask|${host}`),
    packages: ['typebox'],
  },
  'SDK core': { globals: words(`Date\\.now|new Date\\(\\)|Math\\.random|WebSocket|${host}`), packages: null },
} as const satisfies Record<string, Purity>;

function words(alternatives: string): RegExp {
  return new RegExp(`(?<![.\\w$])(${alternatives})(?![\\w$])`, 'g');
}

function impurities(source: Source, { globals, packages }: Purity): string[] {
  const touched = [...source.code.matchAll(globals)]
    // A property named like a global is not the global: `process: string` in a shape.
    .filter((match) => !/^\??:/.test(source.code.slice(match.index + match[0].length)))
    .map((match) => `${source.path}:${lineOf(source.code, match.index)} uses ${match[0]}`);
  const imported = importsOf(source)
    .filter(({ specifier }) => packages !== null && !specifier.startsWith('.'))
    .filter(
      ({ specifier }) => !packages?.some((name) => specifier === name || specifier.startsWith(`${name}/`)),
    )
    .map(({ line, specifier }) => `${source.path}:${line} imports ${specifier}`);
  return [...touched, ...imported];
}

test('server/src/domain is pure: it is given `now`, ids and the witness, and does nothing but decide', () => {
  const breaches = sourcesUnder('server/src/domain').flatMap((source) => impurities(source, rules.domain));
  expect(breaches, 'add what is needed to Context (domain/commands.ts)').toEqual([]);
});

test('protocol does no input or output and runs in any JavaScript host', () => {
  const breaches = sourcesUnder('protocol/src')
    .filter(({ path }) => !path.endsWith('.d.ts'))
    .flatMap((source) => impurities(source, rules.protocol));
  expect(breaches, 'take it as a parameter, as `verify` is').toEqual([]);
});

test('client-sdk: clock, randomness, timers and the rest of the host come from Host', () => {
  const breaches = sourcesUnder('client-sdk/src')
    .filter(({ path }) => !/^client-sdk\/src\/(node|browser|testing)\//.test(path))
    .flatMap((source) => impurities(source, rules['SDK core']));
  expect(breaches, 'add what is needed to Host (client-sdk/src/host.ts)').toEqual([]);
});

const readsClock = (source: Source): string[] =>
  impurities(source, {
    globals: words('Date\\.now|new Date\\(\\)|performance|process\\.hrtime'),
    packages: null,
  });

test('server: ops/clock.ts alone reads a clock', () => {
  const others = sourcesUnder('server/src').filter(({ path }) => path !== 'server/src/ops/clock.ts');
  expect(others.flatMap(readsClock), 'take a Clock, or a reading of one').toEqual([]);
  expect(readsClock(sourceOf('server/src/x.ts', 'const now = Date.now();'))).toHaveLength(1);
  expect(readsClock(sourceOf('server/src/x.ts', 'new Date(atMs)'))).toEqual([]);
});

test('an impurity is found', () => {
  const planted: { readonly [R in keyof typeof rules]: readonly string[] } = {
    domain: [
      "import { createHash } from 'node:crypto';",
      "import fs from 'fs';",
      "import type { Engine } from '@berth/server/engine/engine';",
      'const at = Date.now();',
      'const at: Date = made;',
      'const id = Math.random();',
      'setTimeout(later, 1);',
      "console.log('here');",
      'if (process.env.X) stop();',
      'const ms = performance.now();',
      'crypto.getRandomValues(bytes);',
      'globalThis.process.exit();',
      'const text = `${Date.now()}`;',
    ],
    protocol: ["import { webcrypto } from 'node:crypto';", 'const now = new Date();', 'Buffer.from(text);'],
    'SDK core': [
      'const now = Date.now();',
      'setTimeout(renew, 1);',
      'new WebSocket(url);',
      'process.env.HOME;',
    ],
  };
  for (const [rule, lines] of Object.entries(planted)) {
    for (const line of lines) {
      expect(impurities(sourceOf('x.ts', line), rules[rule as keyof typeof rules]), line).toHaveLength(1);
    }
  }
});

test('words that only look impure are none', () => {
  const lines = [
    "type Share = 'process' | 'device';",
    '// Date.now() is banned',
    'const a = { process: 1 };',
    'lease.Date',
  ];
  expect(impurities(sourceOf('x.ts', lines.join('\n')), rules.domain)).toEqual([]);
  const days = sourceOf('x.ts', 'const day = new Date(atMs).toISOString(); Date.UTC(2026, 0, 1);');
  expect(impurities(days, rules.protocol)).toEqual([]);
});
