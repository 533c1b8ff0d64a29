import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { root } from './paths.js';
import type { Started } from './process.js';
import { until } from './waiting.js';

/** Why nothing can be run at a terminal here; `null` when it can. In CI its absence is a failure, not a reason. */
export function whyNoTerminal(): string | null {
  if (spawnSync('python3', ['-c', 'import pty; pty.openpty()']).status === 0) return null;
  const reason =
    'python3 with the module pty is not installed: what a person at a terminal sees is not tested';
  if (process.env.CI === 'true') throw new Error(reason);
  return reason;
}

/** The same command at a terminal of its own: `tell` types a line, and stdout is all that the screen shows. */
export function atTerminal(argv: readonly string[]): string[] {
  return ['python3', '-B', join(root, 'test', 'system', 'terminal.py'), ...argv];
}

/** Types a line once the screen asks for it. */
export async function answer(terminal: Started, question: string, line: string): Promise<void> {
  await until(`the question ${question}`, () => {
    if (terminal.stdout.includes(question)) return true;
    if (terminal.running) return false;
    throw new Error(`It ended without the question ${question}:\n${terminal.stdout}`);
  });
  terminal.tell(line);
}
