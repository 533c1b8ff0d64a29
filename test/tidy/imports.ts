import { existsSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import { lineOf } from './blank.js';
import { besides, packageFolders, packages, root, type Source } from './sources.js';

export interface Import {
  /** As it is written. */
  readonly specifier: string;
  readonly line: number;
  /**
   * Nothing of it is left in the JavaScript: `import type`, `export type … from`, `typeof import()`. Not `import { type A }`: with
   * verbatimModuleSyntax that still loads the module.
   */
  readonly typeOnly: boolean;
  readonly target: Target;
}

export type Target =
  /** A file of ours, by its path. */
  | { readonly kind: 'ours'; readonly path: string }
  | { readonly kind: 'builtin'; readonly name: string }
  | { readonly kind: 'package'; readonly name: string };

/** Every import of a file: static, re-exported, for side effects, and dynamic. */
export function importsOf(source: Source): Import[] {
  const found: Import[] = [];
  for (const { pattern, isTypeOnly } of forms) {
    for (const match of source.code.matchAll(pattern)) {
      const end = match.index + match[0].length - 1;
      const start = source.text.lastIndexOf(source.text[end]!, end - 1) + 1;
      const specifier = source.text.slice(start, end);
      const typeOnly = isTypeOnly(match);
      found.push({
        specifier,
        line: lineOf(source.text, match.index),
        typeOnly,
        target: targetOf(source, specifier),
      });
    }
  }
  return found.sort((a, b) => a.line - b.line);
}

/** Each ends with the closing quote of the specifier, whose inside is blank in `code`. */
const forms: readonly { pattern: RegExp; isTypeOnly: (match: RegExpMatchArray) => boolean }[] = [
  {
    pattern:
      /(?<![.\w$])(?:import|export)\s+(type\s+)?(?:(?!\b(?:import|export)\b)[\w$*{},\s])*?\bfrom\s*(['"]) *\2/g,
    isTypeOnly: (match) => match[1] !== undefined,
  },
  { pattern: /(?<![.\w$])import\s*(['"]) *\1/g, isTypeOnly: () => false },
  {
    pattern: /(typeof\s+)?(?<![.\w$])import\s*\(\s*(['"]) *\2/g,
    isTypeOnly: (match) => match[1] !== undefined,
  },
];

function targetOf(source: Source, specifier: string): Target {
  if (specifier.startsWith('.')) return { kind: 'ours', path: fileOf(besides(source.path, specifier)) };
  if (isBuiltin(specifier)) return { kind: 'builtin', name: specifier.replace(/^node:/, '') };
  for (const folder of packageFolders) {
    const name = packages[folder];
    if (specifier === name) return { kind: 'ours', path: `${folder}/src/index.ts` };
    if (specifier.startsWith(`${name}/`)) {
      // The examples lie in folders of their own, without `src`.
      const sources = folder === 'examples' ? folder : `${folder}/src`;
      return { kind: 'ours', path: fileOf(`${sources}/${specifier.slice(name.length + 1)}`) };
    }
  }
  return { kind: 'package', name: nameOf(specifier) };
}

/** The source behind a path as imports write it: `x.js`, or `x` through the `exports` of a package. */
function fileOf(path: string): string {
  const stem = path.replace(/\.js$/, '');
  return (
    [`${stem}.ts`, `${stem}/index.ts`, path, `${stem}.d.ts`].find((file) => existsSync(join(root, file))) ??
    `${stem}.ts`
  );
}

/** `typebox/value` is of typebox, `@scope/name/deep` of `@scope/name`. */
function nameOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}
