import { auditKinds, roleOrder } from '@berth/protocol';
import type { Options } from 'yargs';
import { type Command, type OptionTable, takesValue } from '../command.js';
import { globalOptions, textOptions } from '../everywhere.js';

// What can stand where the cursor is. From the command table alone: a new command is completed without further work.

/** A word that fits, and what it is. */
export interface Choice {
  readonly word: string;
  readonly about: string;
}

/** Values that only a server or the folder of contexts knows. */
export type ValueKind =
  | 'product'
  | 'email'
  | 'context'
  | 'job'
  | 'mail'
  | 'subscription'
  | 'entitlement'
  | 'lease'
  | 'token';

/** What fits: words, values of a kind, or names of files, which the shell knows best. */
export type Wanted =
  | { readonly choices: readonly Choice[] }
  | { readonly values: ValueKind; readonly prefix: string }
  | 'files';

/** The words before the cursor, read as far as they can be. */
interface Position {
  readonly command: Command | undefined;
  readonly commands: readonly Command[];
  readonly positionals: number;
  /** Options that were given, with their values. */
  readonly given: ReadonlyMap<string, string>;
  /** The option whose value is next. */
  readonly open: string | undefined;
}

/** @param before the words between `berth` and the one being typed. @param current that one, as far as it is there */
export function wantedAt(
  before: readonly string[],
  current: string,
  root: readonly Command[],
): { readonly wanted: Wanted; readonly given: ReadonlyMap<string, string> } {
  const words = before[0] === 'help' ? before.slice(1) : before;
  if (words.includes('--')) return { wanted: 'files', given: new Map() };
  const at = walk(words, root);
  return {
    wanted: at === undefined ? { choices: [] } : wantedIn(at, current),
    given: at?.given ?? new Map(),
  };
}

function walk(words: readonly string[], root: readonly Command[]): Position | undefined {
  const given = new Map<string, string>();
  let command: Command | undefined;
  let positionals = 0;
  let open: string | undefined;
  for (const word of words) {
    if (open !== undefined) {
      given.set(open, word);
      open = undefined;
    } else if (word.startsWith('-') && word !== '-') {
      const [name = '', value] = word.replace(/^--?/, '').split('=');
      const row = optionsOf(command)[name];
      given.set(name, value ?? '');
      if (row !== undefined && takesValue(row) && value === undefined) open = name;
    } else if (command === undefined || command.commands.length > 0) {
      command = (command?.commands ?? root).find(({ name }) => name === word);
      if (command === undefined) return undefined;
    } else positionals += 1;
  }
  return { command, commands: command?.commands ?? root, positionals, given, open };
}

const optionsOf = (command: Command | undefined): OptionTable => ({
  ...command?.options,
  ...globalOptions,
  ...textOptions,
});

function wantedIn({ command, commands, positionals, given, open }: Position, current: string): Wanted {
  const options = optionsOf(command);
  if (open !== undefined) return valuesOf(open, options[open]!, '');
  const [, name = '', value] = /^--([^=]+)=(.*)$/.exec(current) ?? [];
  const named = options[name];
  if (value !== undefined) return named === undefined ? { choices: [] } : valuesOf(name, named, `--${name}=`);
  if (current.startsWith('-')) return { choices: optionChoices(options, given) };
  if (commands.length > 0)
    return { choices: commands.map(({ name: word, describe }) => ({ word, about: describe })) };
  const rows = Object.entries(command?.positionals ?? {});
  const last = rows.at(-1);
  const row = rows[positionals] ?? (last?.[1].array === true ? last : undefined);
  if (row !== undefined) return valuesOf(row[0], row[1], '');
  return { choices: optionChoices(command?.options ?? {}, given) };
}

function optionChoices(options: OptionTable, given: ReadonlyMap<string, string>): Choice[] {
  return Object.entries(options)
    .filter(([name, row]) => row.array === true || !given.has(name))
    .map(([name, { describe = '' }]) => ({ word: `--${name}`, about: describe }));
}

/** What the values of an argument are is said by its name, which means the same in every command. */
const kinds: Readonly<Record<string, ValueKind>> = {
  product: 'product',
  email: 'email',
  user: 'email',
  from: 'email',
  to: 'email',
  by: 'email',
  context: 'context',
};

/** An id is of the list that its description names. */
const lists: Readonly<Record<string, ValueKind>> = {
  'berth context list': 'context',
  'berth bulk list': 'job',
  'berth mail list': 'mail',
  'berth subscription list': 'subscription',
  'berth entitlement list': 'entitlement',
  'berth lease list': 'lease',
  'berth machine token list': 'token',
};

function listOf({ describe = '' }: Options): ValueKind | undefined {
  return lists[/`(berth [a-z ]+ list)`/.exec(describe)?.[1] ?? ''];
}

/** Words that an argument takes although any other text may be given too: the server decides. */
const knownWords: Readonly<Record<string, readonly string[]>> = {
  role: [...roleOrder].reverse(),
  kind: auditKinds,
};

const fileNames = new Set(['file', 'files', 'csv', 'out', 'key', 'server', 'vendor-key', 'home', 'data']);

function valuesOf(name: string, row: Options, prefix: string): Wanted {
  if (row.choices !== undefined)
    return { choices: row.choices.map((choice) => ({ word: `${prefix}${choice}`, about: '' })) };
  const kind = listOf(row) ?? kinds[name];
  if (kind !== undefined) return { values: kind, prefix };
  const words = knownWords[name];
  if (words !== undefined) return { choices: words.map((word) => ({ word: `${prefix}${word}`, about: '' })) };
  return fileNames.has(name) ? 'files' : { choices: [] };
}
