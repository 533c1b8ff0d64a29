import { commands } from '../commands/all.js';
import type { Host, Settings } from '../context.js';
import { cancellable } from '../session.js';
import { valuesOf } from './values.js';
import { type Choice, wantedAt } from './wanted.js';

/** The word that the scripts of `berth completion` call `berth` with. */
export const completeWord = '__complete';

/** How long a person at a prompt waits for a server before it is too long; BERTH_COMPLETE_MS says otherwise. */
const patienceMs = 1000;

/**
 * Prints what can stand where the cursor is, a line each, or `:files`. Whatever goes wrong, it prints nothing: a prompt is no place for
 * an error.
 */
export async function complete(typed: readonly string[], host: Host): Promise<void> {
  try {
    const [shell = '', ...rest] = typed;
    const lines = shell === 'bash' ? await forBash(host, rest) : await forZsh(host, rest);
    host.stdout.write(lines.map((line) => `${line}\n`).join(''));
  } catch {
    // Not joined, no server, no right to ask it: then there is nothing to offer.
  }
}

/** bash replaces only what stands behind the last of its word breaks, among them `@` and `:`. */
async function forBash(host: Host, [breaks = '', line = '']: readonly string[]): Promise<string[]> {
  const words = shellWords(line).slice(1);
  const current = words.at(-1) ?? '';
  const choices = await choicesAt(host, words.slice(0, -1), current);
  if (choices === 'files') return [':files'];
  const at = Math.max(...[...breaks].map((character) => current.lastIndexOf(character)));
  return choices.map(({ word }) => word.slice(at + 1));
}

/** `_describe` wants `word:what it is`. */
async function forZsh(host: Host, words: readonly string[]): Promise<string[]> {
  const choices = await choicesAt(host, words.slice(0, -1), words.at(-1) ?? '');
  if (choices === 'files') return [':files'];
  return choices.map(({ word, about }) => {
    const name = word.replaceAll(':', '\\:');
    return about === '' ? name : `${name}:${about.replaceAll('\n', ' ')}`;
  });
}

async function choicesAt(
  host: Host,
  before: readonly string[],
  current: string,
): Promise<'files' | Choice[]> {
  const { wanted, given } = wantedAt(before, current, commands);
  if (wanted === 'files') return 'files';
  if ('choices' in wanted) return wanted.choices.filter(({ word }) => word.startsWith(current));
  const { values, prefix } = wanted;
  const typed = current.slice(prefix.length);
  const found = await soon(host, (context) =>
    valuesOf({ ...context, settings: settingsOf(given), progress: silent }, values, typed),
  );
  return found.map((value) => ({ word: `${prefix}${value}`, about: '' }));
}

const silent = { say: () => undefined };

/** The answer, if it comes in time. */
async function soon<T>(host: Host, ask: (context: Host) => Promise<T>): Promise<T> {
  const over = new AbortController();
  const wished = Number(host.env.BERTH_COMPLETE_MS);
  const stop = host.processes.after(wished > 0 ? wished : patienceMs, () => over.abort());
  try {
    return await cancellable({ signal: over.signal }, ask({ ...host, signal: over.signal }));
  } finally {
    stop();
  }
}

const settingsOf = (given: ReadonlyMap<string, string>): Settings => ({
  json: false,
  yes: false,
  noInput: true,
  contextName: given.get('context') || undefined,
  home: given.get('home') || undefined,
  afterDashes: [],
});

/** The words of a line as a shell sees them; the last one is what is being typed, empty behind a space. */
export function shellWords(line: string): string[] {
  const words: string[] = [];
  let word: string | null = null;
  let quote = '';
  for (let at = 0; at < line.length; at++) {
    const character = line[at]!;
    if (quote !== '' && character === quote) quote = '';
    else if (quote !== "'" && character === '\\') word = (word ?? '') + (line[++at] ?? '');
    else if (quote === '' && (character === "'" || character === '"')) {
      quote = character;
      word ??= '';
    } else if (quote === '' && /\s/.test(character)) {
      if (word !== null) words.push(word);
      word = null;
    } else word = (word ?? '') + character;
  }
  return [...words, word ?? ''];
}
