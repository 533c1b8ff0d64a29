import { wrongBoolean } from '@berth/protocol/boolean-words';
import yargs from 'yargs';
import { hideBin } from 'yargs/helpers';
import { checkCommand } from './commands/check.js';
import { initCommand } from './commands/init.js';
import { migrateCommand } from './commands/migrate.js';
import { print } from './commands/print.js';
import { restoreCommand } from './commands/restore.js';
import { serveCommand } from './commands/serve.js';
import { drawNoHelpAhead } from './help-ahead.js';
import { stderr } from './ops/stdio.js';
import { reportStartFailure, StartError } from './start-error.js';
import { VERSION } from './version.js';

/** `berthd`, as bin/berthd.js starts it: sets process.exitCode and lets the process end by itself. */
export const start = (): Promise<void> => main(hideBin(process.argv));

/** Runs one command of berthd and sets the exit code: 0 ok, 1 failure, 2 usage, 4 a wrong passphrase. */
async function main(argv: readonly string[]): Promise<void> {
  // Keys, leases and journal are nobody else's business, whatever the folder they are made in allows.
  process.umask(0o077);
  const parser = yargs([...argv])
    .scriptName('berthd')
    .usage('$0 <command>\n\nThe Berth licence daemon. Everything of a server is in one data folder.')
    .command(initCommand)
    .command(serveCommand)
    .command(checkCommand)
    .command(migrateCommand)
    .command(restoreCommand)
    .demandCommand(1, 'Say what to do: init, serve, check, migrate or restore.')
    .parserConfiguration({ 'camel-case-expansion': false, 'dot-notation': false })
    .strict()
    .recommendCommands()
    .version(VERSION)
    .wrap(Math.min(110, process.stdout.columns ?? 100))
    .exitProcess(false)
    .fail((message, error) => {
      throw error ?? new StartError('USAGE', message, `See ${called(argv)} --help.`, 2);
    });
  parser.middleware(() => refuseWrongBoolean(argv, parser), true);
  try {
    let text = '';
    await drawNoHelpAhead(parser).parseAsync([...argv], {}, (_error, _args, help) => {
      text = help;
    });
    if (text !== '') print(`${text}\n`);
  } catch (error) {
    reportStartFailure(error, stderr);
    process.exitCode = error instanceof StartError ? error.exitCode : 1;
  }
}

/** What yargs took for another value than was typed. @param parser has the options of the command by then */
function refuseWrongBoolean(argv: readonly string[], parser: object): void {
  const { boolean, alias } = (parser as Inside).getOptions();
  const wrong = wrongBoolean(argv, new Set(boolean.flatMap((name) => [name, ...(alias[name] ?? [])])));
  if (wrong === null) return;
  const { option, value } = wrong;
  throw new StartError(
    'USAGE',
    `${option} takes no value, and ${JSON.stringify(value)} is given to it.`,
    `Write ${option} alone, or leave it out. See ${called(argv)} --help.`,
    2,
  );
}

/** Not in the types of yargs. */
interface Inside {
  getOptions(): { boolean: string[]; alias: Record<string, string[]> };
}

/** The command whose help says what was wrong. */
function called([command = '']: readonly string[]): string {
  return ['init', 'serve', 'check', 'migrate', 'restore'].includes(command) ? `berthd ${command}` : 'berthd';
}
