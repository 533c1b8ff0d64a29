import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const source = fileURLToPath(new URL('../../../client-sdk/src/', import.meta.url));
const core = readdirSync(source).filter(
  (name) => name.endsWith('.ts') && name !== 'index.ts' && name !== 'internal.ts',
);

// Architecture invariant: only src/node knows Node; the rest runs in every JavaScript host that brings a `Host`.
it.each(core)('%s knows nothing of Node', (name) => {
  const text = readFileSync(`${source}${name}`, 'utf8');
  const code = text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
  expect(code).not.toMatch(/from '(node:|ws'|tweetnacl')|from '\.\/node\//);
  expect(code).not.toMatch(
    /\b(Buffer|NodeJS|setTimeout|setInterval|setImmediate|performance|Date\.now|new Date|Math\.random)\b|(?<!\.)\bprocess\./,
  );
});

const filesOf = (folder: string) =>
  readdirSync(`${source}${folder}`)
    .filter((name) => name.endsWith('.ts'))
    .map((name) => `${folder}/${name}`);

it.each(['browser', 'portable'].flatMap(filesOf))('%s runs without Node', (name) => {
  expect(readFileSync(`${source}${name}`, 'utf8')).not.toMatch(
    /from '(node:|ws')|\/node\/|\b(Buffer|NodeJS)\b/,
  );
});
