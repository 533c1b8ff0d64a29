import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { berth } from '../unit/cli/fake-host.js';
import { lineOf } from './blank.js';
import { allFiles, read, root } from './sources.js';

// Commands in the docs exist, with the flags they are shown with: each is compared with its own --help.

const pages = allFiles.filter((path) => /^(docs\/[^/]+|README|examples\/.+)\.md$/.test(path));
interface Call {
  readonly where: string;
  readonly bin: string;
  /** Up to the first flag: command and positionals. */
  readonly words: readonly string[];
  readonly flags: readonly string[];
}

/** Calls of our programs in the fenced shell blocks of a page. What follows a lone `--` is somebody else's command. */
function callsIn(path: string, text: string): Call[] {
  return [...text.matchAll(/^```(?:sh|bash|console)\n([\s\S]*?)^```$/gm)].flatMap((block) => {
    const lines = block[1]!.replaceAll(/\\\n\s*/g, ' ').split('\n');
    const where = `${path}:${lineOf(text, block.index)}`;
    return lines.flatMap((line) => lineCalls(line, where));
  });
}

function lineCalls(line: string, where: string): Call[] {
  const said = line.replace(/^\$ /, '').replaceAll(/(^|\s)#.*$/g, '');
  return said.split(/\s*(?:&&|\|\||[|;]|\$\()\s*/).flatMap((part) => {
    const words = part.trim().split(/\s+/);
    while (
      /^[A-Z_]+=/.test(words[0] ?? '') ||
      ['sudo', 'npx', '--no-install', 'exec'].includes(words[0] ?? '')
    )
      words.shift();
    const [bin = '', ...rest] = words;
    if (bin !== 'berth' && bin !== 'berthd') return [];
    const end = rest.indexOf('--');
    const own = (end < 0 ? rest : rest.slice(0, end)).map((word) => word.replace(/[)'"]+$/, ''));
    const first = own.findIndex((word) => word.startsWith('-') && word !== '-');
    const flags = own.filter((word) => word.startsWith('--')).map((word) => word.split('=')[0]!);
    return [{ where, bin, words: first < 0 ? own : own.slice(0, first), flags }];
  });
}

const helps = new Map<string, Promise<string>>();

function helpOf(bin: string, words: readonly string[]): Promise<string> {
  // Whatever is not the name of a command is a positional, and none of our commands has more than three words.
  const names = words.filter((word) => /^[a-z][a-z-]*$/.test(word)).slice(0, 3);
  const key = [bin, ...names].join(' ');
  const help = helps.get(key) ?? (bin === 'berth' ? berthHelp(names) : berthdHelp(names));
  helps.set(key, help);
  return help;
}

async function berthHelp(names: readonly string[]): Promise<string> {
  return (await berth([...names, '--help'])).stdout;
}

function berthdHelp(names: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    const argv = [join(root, 'server/bin/berthd.js'), ...names, '--help'];
    execFile(process.execPath, argv, (_, stdout) => resolve(stdout));
  });
}

/** What is wrong with a call; `null` when its help knows it. */
async function fault({ where, bin, words, flags }: Call): Promise<string | null> {
  if (words.length === 0 && flags.every((flag) => ['--help', '--version'].includes(flag))) return null;
  const help = await helpOf(bin, words);
  const [first = ''] = help.split('\n');
  // "berth user <command>" is a group, "berth: floating licences…" no command at all.
  const isCommand = first.startsWith(`${bin} ${words[0]}`) && !first.includes('<command>');
  if (!isCommand) return `${where}: there is no ${bin} ${words.join(' ')}`;
  const unknown = flags.filter((flag) => !new RegExp(`(^|\\s|, )${flag}\\b`).test(help));
  return unknown.length === 0 ? null : `${where}: ${bin} ${words.join(' ')} has no ${unknown.join(', ')}`;
}

describe('commands in the docs', () => {
  test.each(pages)('%s: exist, with their flags', { timeout: 120_000 }, async (path) => {
    const faults = [];
    for (const call of callsIn(path, read(path))) faults.push(await fault(call));
    expect(faults.filter((text) => text !== null)).toEqual([]);
  });

  test('a wrong command and a wrong flag are seen, here too', { timeout: 120_000 }, async () => {
    const block = (line: string): string => `\`\`\`sh\n${line}\n\`\`\`\n`;
    const faultOf = async (line: string): Promise<(string | null)[]> =>
      Promise.all(callsIn('x.md', block(line)).map(fault));
    expect(await faultOf('berth user inviet a@b.example')).toEqual([
      expect.stringContaining('no berth user'),
    ]);
    expect(await faultOf('berth sattus')).toEqual([expect.stringContaining('no berth sattus')]);
    expect(await faultOf('berth run --product r --waite 1m -- x --y')).toEqual([
      expect.stringContaining('--waite'),
    ]);
    expect(await faultOf('X=1 npx --no-install berth status --json | jq .')).toEqual([null]);
    expect(await faultOf('sudo berthd serve --data d \\\n  --bogus 1')).toEqual([
      expect.stringContaining('--bogus'),
    ]);
    expect(await faultOf('berth run --product r -- render --quality 3')).toEqual([null]);
  });
});
