import type { Command } from './command.js';
import { globalOptions, textOptions } from './everywhere.js';
import { type Failure, usage } from './fail.js';

/**
 * What yargs found wrong with a command line, as a sentence and a hint that name the command and what was typed. The few
 * texts of yargs that are recognised are those of its English locale, which main.ts asks for; others are passed on.
 */
export function usageFailure(said: string, typed: readonly string[], root: readonly Command[]): Failure {
  const { path, command } = find(typed, root);
  const line = ['berth', ...path].join(' ');
  const help = `See \`${line} --help\`.`;
  const choices = command?.commands ?? (command === undefined ? root : []);
  const unknown = /^Unknown (?:argument|command)s?: (.*)$/m.exec(said)?.[1]?.split(', ') ?? [];
  if (choices.length > 0) return noCommand(line, wordAfter(path, typed), choices, help);
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
  const choice = /Argument: (\S+), Given: (".*?"), Choices: (.*)$/m.exec(said);
  if (choice !== null) {
    const [, name, given, known] = choice;
    const dashes = name! in (command?.options ?? {}) ? '--' : '';
    return usage(`${dashes}${name} ${given} is none of: ${known!.replaceAll('"', '')}.`, help);
  }
  return usage(said.replace(/\s*\n\s*/g, ' '), help);
}

const listed = (names: readonly string[]): string =>
  names
    .map((name) => `--${name}`)
    .join(', ')
    .replace(/, ([^,]*)$/, ' and $1');

/** The command that the words lead to, as far as they do. */
function find(
  typed: readonly string[],
  root: readonly Command[],
): { path: string[]; command: Command | undefined } {
  const path: string[] = [];
  let command: Command | undefined;
  for (const word of typed) {
    const inner = (command?.commands ?? root).find(({ name }) => name === word);
    if (inner === undefined) continue;
    path.push(word);
    command = inner;
    if (inner.commands.length === 0) break;
  }
  return { path, command };
}

/** The first word behind the path that is no option. */
function wordAfter(path: readonly string[], typed: readonly string[]): string | undefined {
  const last = path.at(-1);
  const rest = last === undefined ? typed : typed.slice(typed.indexOf(last) + 1);
  return rest.find((word) => !word.startsWith('-'));
}

function noCommand(
  line: string,
  word: string | undefined,
  choices: readonly Command[],
  help: string,
): Failure {
  const names = choices.map(({ name }) => name);
  const all = `One of: ${names.join(', ')}.`;
  if (word === undefined) return usage(`${line} needs a command. ${all}`, help);
  const near = nearest(word, names);
  return usage(
    `There is no command "${line} ${word}".`,
    near === undefined ? `${all} ${help}` : `Did you mean \`${line} ${near}\`? ${help}`,
  );
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

/** The candidate that is at most a third of its letters away. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const rated = candidates
    .map((candidate) => ({ candidate, away: distance(word, candidate) }))
    .filter(({ candidate, away }) => away <= Math.max(1, Math.floor(candidate.length / 3)))
    .sort((a, b) => a.away - b.away);
  return rated[0]?.candidate;
}

/** Levenshtein distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
