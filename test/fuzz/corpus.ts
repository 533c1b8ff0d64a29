import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './root.js';

// Inputs that are kept in the repository: those that reached something new, and those that found a fault once.

function folderOf(target: string): string {
  return join(root, 'test', 'fuzz', 'corpus', target);
}

export interface Kept {
  readonly name: string;
  readonly input: Uint8Array;
}

export function corpusOf(target: string): Kept[] {
  const folder = folderOf(target);
  return readdirSync(folder)
    .sort()
    .map((name) => ({ name, input: readFileSync(join(folder, name)) }));
}

/** @param kind `crash`, `slow`, `hang` of a finding, `new` of what reached code that nothing did before. @returns its path */
export function keep(target: string, kind: string, input: Uint8Array): string {
  const folder = folderOf(target);
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${kind}-${createHash('sha256').update(input).digest('hex').slice(0, 12)}`);
  writeFileSync(path, input);
  return path;
}
