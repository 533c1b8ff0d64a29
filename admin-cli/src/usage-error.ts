import { wrongBoolean } from '@berth/protocol/boolean-words';
import { nearest } from '@berth/protocol/nearest';
import type { Options } from 'yargs';
import { type Command, type OptionTable, takesValue } from './command.js';
import { globalOptions, textOptions } from './everywhere.js';
import { type Failure, usage } from './fail.js';
import { quote } from './parse.js';

/**
 * What yargs found wrong with a command line, as a sentence and a hint that name the command and what was typed. The few
 * texts of yargs that are recognised are those of its English locale, which main.ts asks for; others are passed on.
 */
export function usageFailure(said: string, typed: readonly string[], root: readonly Command[]): Failure {
  const { path, command, lost } = find(typed, root);
  const line = ['berth', ...path].join(' ');
  const help = `See \`${line} --help\`.`;
  const choices = command?.commands ?? (command === undefined ? root : []);
  const unknown = /^Unknown (?:argument|command)s?: (.*)$/m.exec(said)?.[1]?.split(', ') ?? [];
  if (choices.length > 0) return noCommand(line, lost, choices, root, help);
  if (unknown[0] !== undefined) return unknownWord(unknown[0], typed, command, help);
  const missing = /^Missing required arguments?: (.*)$/m.exec(said)?.[1];
  if (missing !== undefined) return usage(`${line} needs ${listed(missing.split(', '))}.`, help);
  if (said.startsWith('Not enough non-option arguments')) {
    return usage(
      `An argument is missing: ${[...line.split(' ').slice(0, -1), command?.usage].join(' ')}`,
      help,
    );
  }
  const valueless = /^Not enough arguments following: (.*)$/m.exec(said)?.[1];
  if (valueless !== undefined) return usage(`--${valueless} needs a value.`, help);
  return wrongChoice(said, command, help) ?? usage(said.replace(/\s*\n\s*/g, ' '), help);
}

/** What yargs would take for another value than was typed is refused before it reads it. @throws Failure USAGE */
export function refuseWrongBoolean(typed: readonly string[], root: readonly Command[]): void {
  const { path, command } = find(typed, root);
  const tables = [
    globalOptions,
    textOptions,
    ...(command === undefined ? optionsOf(root) : [command.options]),
  ];
  const wrong = wrongBoolean(typed, new Set(tables.flatMap(booleansOf)));
  if (wrong === null) return;
  const { option, value } = wrong;
  throw usage(
    `${option} takes no value, and ${quote(value)} is given to it.`,
    `Write ${option} alone, or leave it out. See \`${['berth', ...path].join(' ')} --help\`.`,
  );
}

/** Of a command line that leads to no command: whatever any of them has. */
const optionsOf = (commands: readonly Command[]): OptionTable[] =>
  commands.flatMap((command) => [command.options, ...optionsOf(command.commands)]);

function booleansOf(table: OptionTable): string[] {
  const rows = Object.entries(table).filter(([, row]) => row.type === 'boolean');
  return rows.flatMap(([name, { alias }]) => [name, ...[alias ?? []].flat()]);
}

function wrongChoice(said: string, command: Command | undefined, help: string): Failure | undefined {
  const [, name, given, list] = /Argument: (\S+), Given: "(.*?)", Choices: (.*)$/m.exec(said) ?? [];
  if (name === undefined || given === undefined || list === undefined) return undefined;
  const choices = list.split(', ').map((choice) => choice.replaceAll('"', ''));
  const near = nearest(given, choices);
  const hint = near === undefined ? `One of: ${choices.join(', ')}.` : `Did you mean ${near}?`;
  const dashes = name in (command?.options ?? {}) ? '--' : '';
  return usage(`"${given}" is not a value of ${dashes}${name}.`, `${hint} ${help}`);
}

const listed = (names: readonly string[]): string =>
  names
    .map((name) => `--${name}`)
    .join(', ')
    .replace(/, ([^,]*)$/, ' and $1');

/** The command that the words lead to, as far as they do, and the first word that leads nowhere. */
function find(
  typed: readonly string[],
  root: readonly Command[],
): { path: string[]; command: Command | undefined; lost: string | undefined } {
  const path: string[] = [];
  let command: Command | undefined;
  for (let at = 0; at < typed.length; at++) {
    const word = typed[at]!;
    if (word.startsWith('-')) {
      if (isFollowed(word)) at += 1;
      continue;
    }
    const inner = (command?.commands ?? root).find(({ name }) => name === word);
    if (inner === undefined) return { path, command, lost: word };
    path.push(word);
    command = inner;
    if (inner.commands.length === 0) break;
  }
  return { path, command, lost: undefined };
}

/** True of `--context` and others that may stand before a command and have a value behind them, which is no command. */
function isFollowed(word: string): boolean {
  const option: Options | undefined = (globalOptions as OptionTable)[word.replace(/^--?/, '')];
  return option !== undefined && takesValue(option);
}

function noCommand(
  line: string,
  word: string | undefined,
  choices: readonly Command[],
  root: readonly Command[],
  help: string,
): Failure {
  const names = choices.map(({ name }) => name);
  const all = `One of: ${names.join(', ')}.`;
  if (word === undefined) return usage(`${line} needs a command. ${all}`, help);
  const near = nearest(word, names) ?? names.find((name) => otherWords[name]?.includes(word));
  const meant = near === undefined ? elsewhere(word, root, 'berth') : [`${line} ${near}`];
  const hint = meant.length === 0 || meant.length > 3 ? all : `Did you mean ${inBackticks(meant)}?`;
  return usage(`There is no command "${line} ${word}".`, `${hint} ${help}`);
}

const inBackticks = (lines: readonly string[]): string => lines.map((line) => `\`${line}\``).join(' or ');

/** What other programs call it. */
const otherWords: Readonly<Record<string, readonly string[]>> = {
  remove: ['delete', 'rm', 'del'],
  list: ['ls'],
  show: ['get', 'info', 'describe'],
  create: ['add', 'new'],
  invite: ['add', 'new', 'create'],
  assign: ['add', 'grant', 'give'],
  revoke: ['remove', 'delete', 'rm', 'take'],
  import: ['add', 'install'],
  join: ['login', 'enrol', 'enroll'],
  run: ['exec'],
  release: ['kick', 'revoke', 'kill'],
};

/** Where else a command of that name is: `berth invite` means `berth user invite`. */
function elsewhere(word: string, commands: readonly Command[], line: string): string[] {
  return commands.flatMap(({ name, commands: inner }) => [
    ...(name === word ? [`${line} ${name}`] : []),
    ...elsewhere(word, inner, `${line} ${name}`),
  ]);
}

function unknownWord(
  word: string,
  typed: readonly string[],
  command: Command | undefined,
  help: string,
): Failure {
  const option = typed.find(
    (text) => text === `--${word}` || text.startsWith(`--${word}=`) || text === `-${word}`,
  );
  if (option === undefined) {
    const dashes =
      command?.name === 'run'
        ? 'The command to run comes after --: berth run --product P -- COMMAND …'
        : help;
    return usage(`"${word}" is one argument too many.`, dashes);
  }
  const near = nearest(word, [...Object.keys(command?.options ?? {}), ...globalNames]);
  const hint = near === undefined ? help : `Did you mean --${near}? ${help}`;
  return usage(`There is no option ${option.split('=')[0]}.`, hint);
}

const globalNames = Object.keys({ ...globalOptions, ...textOptions });
