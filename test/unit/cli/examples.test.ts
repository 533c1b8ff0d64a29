import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from '@berth/cli/command';
import { commands } from '@berth/cli/commands/all';
import { Failure } from '@berth/cli/fail';
import { describe, expect, it } from 'vitest';
import { berth, noSdk } from './fake-host.js';

// Every example of every help: read by a real shell, then by berth, up to the first thing it would ask of a server or a file.

interface Named {
  readonly line: string;
  readonly command: Command;
}

const all = (table: readonly Command[], words: string): Named[] =>
  table.flatMap((command) => {
    const line = `${words} ${command.name}`;
    return command.commands.length > 0 ? all(command.commands, line) : [{ line, command }];
  });
const named = all(commands, 'berth');

/** What a shell would start for each line; `$LINK` and the files of examples are of no matter. */
function shellWords(lines: readonly string[]): string[][] {
  const script = `berth() { printf '%s\\0' "$@" END >&3; }
    cat() { :; }
    wl-copy() { :; }
    exec 3>&1 >/dev/null
    ${lines.map((line) => line.replaceAll(/<\s*\S+\.txt/g, '</dev/null')).join('\n')}`;
  // Some of them write files: `> render.ent` once came into the repository that way.
  const cwd = mkdtempSync(join(tmpdir(), 'berth-examples-'));
  const shell = spawnSync('bash', ['--norc', '-c', script], { encoding: 'utf8', cwd });
  rmSync(cwd, { recursive: true });
  const { stdout, stderr, status } = shell;
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return stdout
    .split('END\0')
    .slice(0, -1)
    .map((words) => words.split('\0').slice(0, -1));
}

const reached = async (): Promise<never> => {
  throw new Failure('NOT_JOINED');
};
/** Whatever a command would ask for, also what it learns to ask for later. */
const sdk = {
  ...Object.fromEntries(Object.keys(noSdk).map((name) => [name, reached])),
  newIdempotencyKey: noSdk.newIdempotencyKey,
  folders: noSdk.folders,
  identities: () => ({
    list: reached,
    listReadable: reached,
    current: reached,
    use: reached,
    read: reached,
  }),
};
const processes = {
  start: reached as never,
  onSignals: () => () => undefined,
  after: () => () => undefined,
};

/** Codes that say the words themselves are wrong. */
const wrongWords = ['USAGE', 'EMAIL_INVALID', 'NAME_INVALID', 'DATE_INVALID', 'MESSAGE_INVALID', 'INTERNAL'];

describe('every command', () => {
  it('says in a line what it is for, and shows examples', () => {
    for (const { line, command } of named) {
      expect(command.describe, line).toMatch(/^[A-Z][^\n]{10,99}[^.\n]$/);
      expect(command.examples.length, line).toBeGreaterThan(0);
      for (const row of Object.values({ ...command.positionals, ...command.options }))
        expect(row.describe, line).toMatch(/\S/);
    }
  });

  it('has examples of itself that a shell and berth accept', { timeout: 120_000 }, async () => {
    const lines = named.flatMap(({ command }) => command.examples.map(([line]) => line));
    const typed = shellWords(lines);
    expect(typed).toHaveLength(lines.length);
    for (const [at, words] of typed.entries()) {
      const ran = await berth([...words, '--json'], {
        sdk,
        processes,
        files: new Map([['vendor.pub', key]]),
      });
      const { code } = (JSON.parse(ran.stdout || '{}') as { error?: { code?: string } }).error ?? {};
      expect(wrongWords, `${lines[at]}\n${ran.stderr}`).not.toContain(code ?? codeIn(ran.stderr));
    }
  });
});

const key = `ed25519:${'A'.repeat(43)}`;
const codeIn = (stderr: string): string => /^berth: ([A-Z_]+) /m.exec(stderr)?.[1] ?? 'none';

it.each(named)(
  '$line --help: examples fit a terminal of 80 columns, and a copy of one is one command',
  async ({ line, command }) => {
    const { stdout } = await berth([...line.split(' ').slice(1), '--help'], { answers: [] });
    const shown = stdout.slice(stdout.lastIndexOf('\nExamples:\n'));
    expect(shown.split('\n').filter((each) => each.startsWith('  ') && each.length > 80)).toEqual([]);
    const copied = shown.replaceAll(/ \\\n +/g, ' ').split('\n');
    const declared = command.examples.map(([example]) => `  ${example}`);
    expect(copied.filter((each) => declared.includes(each))).toEqual(declared);
  },
);
