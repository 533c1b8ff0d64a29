import yargs from 'yargs';
import { refuseTwice, type Work } from './command.js';
import { commands } from './commands/all.js';
import type { Settings } from './context.js';
import { hideDashes } from './dash.js';
import { exitCodes, globalOptions } from './everywhere.js';
import { drawNoHelpAhead } from './help-ahead.js';
import { refuseWrongBoolean, usageFailure } from './usage-error.js';
import { version } from './version.js';

/** What a command line asks for: work, or a text (help, version). */
export type Request =
  | { readonly work: Work; readonly settings: Settings }
  | { readonly text: string; readonly about: 'help' | 'version' };

/**
 * Reads a command line; does nothing yet. @param typed what follows `berth`. @param columns width for the help.
 * @throws Failure USAGE
 */
export async function readCommandLine(
  typed: readonly string[],
  columns: number | undefined,
): Promise<Request> {
  const { words, afterDashes } = cutDashes(typed[0] === 'help' ? [...typed.slice(1), '--help'] : typed);
  refuseWrongBoolean(words, commands);
  let work: Work | undefined;
  const parser = drawNoHelpAhead(newParser(columns));
  for (const command of commands) {
    command.register(parser, (chosen) => {
      work = chosen;
    });
  }
  const { error, args, text } = await parse(parser, hideDashes(words));
  if (error !== null) throw usageFailure(error, words, commands);
  if (work === undefined) {
    if (text === '') throw usageFailure('', words, commands);
    return { text, about: words.includes('--version') ? 'version' : 'help' };
  }
  refuseTwice(globalOptions, args);
  return { work, settings: settingsOf(args, afterDashes) };
}

function newParser(columns: number | undefined) {
  return yargs()
    .scriptName('berth')
    .locale('en') // usage-error.ts reads these texts.
    .usage('berth: floating licences. Take seats, run commands under them, run the licence server.')
    .parserConfiguration({
      'boolean-negation': false, // `--no-input` is an option of its own.
      'camel-case-expansion': false,
      'dot-notation': false,
      'greedy-arrays': false, // `--add-on A --add-on B`: one value each.
      'parse-numbers': false,
      'parse-positional-numbers': false,
    })
    .options(globalOptions)
    .group([...Object.keys(globalOptions), 'help', 'version'], 'Everywhere:')
    .strict()
    .demandCommand(1)
    .showHelpOnFail(false)
    .exitProcess(false)
    .version(version)
    .help('help')
    .alias('help', 'h')
    .epilogue(epilogue)
    .wrap(Math.min(columns ?? 100, 100));
}

const epilogue = `Exit codes: ${exitCodes.map(([code, word]) => `${code} ${word}`).join(', ')}.
\`berth COMMAND --help\` shows examples.

Examples:
  # join a licence server with the link from an invitation
  berth join 'berth://licences.example:7433/?key=…&token=…'
  # who has the seats
  berth status
  # run a renderer under a seat, waiting for one if need be
  berth run --product render --wait 10m -- render scene.usd`;

/** yargs hands its texts to the callback instead of printing them. */
async function parse(parser: ReturnType<typeof newParser>, words: readonly string[]) {
  const result: { error: string | null; args: Record<string, unknown>; text: string } = {
    error: null,
    args: {},
    text: '',
  };
  try {
    await parser.parseAsync(words, {}, (error, args, text) => {
      if (error) result.error = error.message;
      Object.assign(result, { args, text });
    });
  } catch (error) {
    result.error = error instanceof Error ? error.message : String(error);
  }
  return result;
}

/** Behind `--` stands the command of `berth run`, which is not ours to read. */
function cutDashes(typed: readonly string[]): { words: readonly string[]; afterDashes: readonly string[] } {
  const at = typed.indexOf('--');
  if (at < 0 || !typed.slice(0, at).includes('run')) return { words: typed, afterDashes: [] };
  return { words: typed.slice(0, at), afterDashes: typed.slice(at + 1) };
}

function settingsOf(args: Record<string, unknown>, afterDashes: readonly string[]): Settings {
  const text = (name: string) =>
    typeof args[name] === 'string' && args[name] !== '' ? args[name] : undefined;
  return {
    json: args.json === true,
    yes: args.yes === true,
    noInput: args['no-input'] === true,
    contextName: text('context'),
    home: text('home'),
    afterDashes,
  };
}
