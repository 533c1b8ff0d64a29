import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { markdownTable } from '../markdown-table.js';
import type { Control, Outcome } from './run.js';

const begin = '<!-- planted bugs: written by `npm run simulate:mutants -- --write-docs` -->';
const end = '<!-- end of planted bugs -->';

/** Puts what a run found into docs/correctness.md, between the two marks. */
export function writeTable(root: string, outcomes: readonly Outcome[], control: Control): void {
  const path = join(root, 'docs/correctness.md');
  const before = existsSync(path)
    ? readFileSync(path, 'utf8')
    : `# Correctness\n\n## Planted bugs\n\n${begin}\n${end}\n`;
  const [from, to] = [before.indexOf(begin), before.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${path} has not the two marks of the table`);
  writeFileSync(path, `${before.slice(0, from)}${begin}\n\n${table(outcomes, control)}\n${before.slice(to)}`);
}

export function table(outcomes: readonly Outcome[], control: Control): string {
  const found = outcomes.filter(({ seed }) => seed !== null).length;
  const rows = outcomes.map(({ mutant: { name, rule, text }, seed, seconds, text: said }) => [
    `\`${name}\``,
    rule,
    text,
    seed === null ? '' : shownBy(said),
    seed === null ? 'missed' : String(seed),
    seconds.toFixed(1),
  ]);
  return [
    `${outcomes.length} faults, ${found} found; ${control.text}.`,
    '',
    markdownTable(['mutant', 'breaks', 'what is broken', 'shown by', 'seed', 'seconds'], rows),
    '',
  ].join('\n');
}

/** The rule of the first finding, which is often another than the one that is broken; the others are the simulator's, which looks into its server. */
function shownBy(said: string): string {
  return /^(?:\d+ ms: )?([A-Z][A-Z0-9]+):/.exec(said)?.[1] ?? 'simulator';
}
