import type { Options } from 'yargs';
import { type Command, type OptionTable, takesValue } from './command.js';
import { exitCodes, globalOptions, textOptions } from './everywhere.js';

/** A command with the words that lead to it. */
interface Entry {
  readonly line: string;
  readonly command: Command;
}

/** docs/cli.md: every command with its usage, options, examples and exit codes. Markdown, made of the command table alone. */
export function cliDocument(commands: readonly Command[]): string {
  const entries = entriesOf(commands, 'berth');
  const parts = [head, everywhere(), index(entries), ...entries.map(section)];
  return `${parts.join('\n\n')}\n`;
}

const head = `# The commands of \`berth\`

This page is made of the command table by \`npm run docs:cli\`; do not edit it. The same is shown by \`berth COMMAND --help\`.
In this repository \`berth\` is called as \`npx --no-install berth\`.`;

function everywhere(): string {
  return [
    '## Everywhere',
    table(['option', 'meaning'], optionRows({ ...globalOptions, ...textOptions })),
    'With `--json`, stdout is one JSON object, of a failure `{ "error": { "code", "message", "next", "exitCode", … } }`. People are ' +
      'answered on stderr, and asked only at a terminal. Colours are left out without a terminal, and when `NO_COLOR` is set. Tables are fitted to the width of a terminal; into a ' +
      'pipe or file they are whole, whatever `COLUMNS` says.',
    'A dry run (`--dry-run`, and `berth bulk preview`) ends with the exit code of what it is of: 0 when all would be done; of a single change that would be refused, the code of that ' +
      'refusal; 1 when some of several, or some rows of a table, would fail.',
    table(
      ['exit code', 'word', 'meaning'],
      exitCodes.map(([code, word, meaning]) => [String(code), word, meaning]),
    ),
  ].join('\n\n');
}

function index(entries: readonly Entry[]): string {
  const rows = entries.map(({ line, command }) => [`[${line}](#${anchor(line)})`, escaped(command.describe)]);
  return ['## Commands', table(['command', 'what it does'], rows)].join('\n\n');
}

/** As GitHub makes it of a heading of such words. */
const anchor = (line: string): string => line.replaceAll(' ', '-');

function entriesOf(commands: readonly Command[], words: string): Entry[] {
  return commands.flatMap((command) => {
    const line = `${words} ${command.name}`;
    return command.commands.length > 0 ? entriesOf(command.commands, line) : [{ line, command }];
  });
}

function section({ line, command }: Entry): string {
  const { usage, describe, positionals, options, examples, more, exits } = command;
  const words = [...line.split(' ').slice(0, -1), usage].join(' ');
  const takes = { ...positionals, ...options };
  const names = [...Object.keys(positionals).map((name) => `\`${name}\``), ...optionNames(options)];
  return [
    `## ${line}`,
    `${escaped(describe)}.`,
    fenced('text', [`${words}${tail(command)}`]),
    ...(names.length === 0
      ? []
      : [
          table(
            ['argument or option', 'meaning'],
            Object.values(takes).map((row, at) => [names[at]!, meaning(row)]),
          ),
        ]),
    ...(more === undefined ? [] : [escaped(more)]),
    ...(exits.length === 0
      ? []
      : [
          table(
            ['exit code', 'here'],
            exits.map(([code, what]) => [String(code), escaped(what)]),
          ),
        ]),
    fenced(
      'sh',
      examples.flatMap(([example, what]) => [`# ${what}`, example]),
    ),
  ].join('\n\n');
}

const tail = ({ name, options }: Command): string =>
  `${Object.keys(options).length === 0 ? '' : ' [options]'}${name === 'run' ? ' -- COMMAND …' : ''}`;

const optionRows = (options: OptionTable): string[][] =>
  Object.values(options).map((row, at) => [optionNames(options)[at]!, meaning(row)]);

function optionNames(options: OptionTable): string[] {
  return Object.entries(options).map(([name, row]) => {
    const short = typeof row.alias === 'string' ? `-${row.alias}, ` : '';
    return `\`${short}--${name}${takesValue(row) ? ` ${name.split('-').at(-1)!.toUpperCase()}` : ''}\``;
  });
}

function meaning(row: Options): string {
  const facts = [
    ...(row.choices === undefined ? [] : [`one of ${row.choices.map((one) => `\`${one}\``).join(', ')}`]),
    ...(row.default === undefined || row.default === false ? [] : [`default \`${row.default}\``]),
    ...(row.demandOption === true ? ['required'] : []),
    ...(row.array === true ? ['may be given several times'] : []),
  ];
  const said = escaped(row.describe ?? '');
  const further = facts.filter((fact) => !said.includes(fact));
  return further.length === 0 ? said : `${said} (${further.join('; ')})`;
}

/** Words of a command table stand for themselves: no HTML, and no new column. */
const escaped = (text: string): string =>
  text
    .split('`')
    .map((part, at) => (at % 2 === 0 ? part.replaceAll(/[\\<>|*[\]]/g, '\\$&') : part.replaceAll('|', '\\|')))
    .join('`');

const fenced = (language: string, lines: readonly string[]): string =>
  [`\`\`\`${language}`, ...lines, '```'].join('\n');

function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(titles), line(titles.map(() => '---')), ...rows.map(line)].join('\n');
}
