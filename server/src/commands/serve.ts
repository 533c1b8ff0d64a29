import { readFile } from 'node:fs/promises';
import { formatAddress } from '@berth/protocol';
import type { CommandModule } from 'yargs';
import { type DataFolder, openDataFolder } from '../data-folder.js';
import { type Config, resolveConfig, yargsOptions } from '../ops/config.js';
import { createLog, type Log } from '../ops/log.js';
import { Server } from '../server.js';
import { StartError } from '../start-error.js';
import { serveDev } from './dev.js';
import { die, untilStopped } from './running.js';

interface ServeArgs {
  readonly data?: string | undefined;
  readonly dev?: boolean | undefined;
  readonly config?: string | undefined;
  readonly [flag: string]: unknown;
}

export const serveCommand: CommandModule<object, ServeArgs> = {
  command: 'serve',
  describe:
    'Run the server of a data folder until SIGTERM or SIGINT; SIGHUP reloads its settings and certificate',
  builder: (yargs) => {
    yargs.options(yargsOptions());
    return yargs
      .option('data', {
        type: 'string',
        requiresArg: true,
        describe: 'The data folder that berthd init made',
      })
      .option('dev', {
        type: 'boolean',
        describe: 'A server to try things with: sample products, this computer only, gone with Ctrl-C',
      })
      .option('config', { type: 'string', requiresArg: true, describe: 'A TOML file with settings' })
      .example('$0 serve --data /var/lib/berthd', 'with the settings given to init, and defaults')
      .example('$0 serve --dev', 'a server for a plugin developer: prints what to paste')
      .example('$0 serve --data ./berth --lease-seconds 30 --log-level debug', 'short leases, much log');
  },
  handler: serve,
};

async function serve(args: ServeArgs): Promise<void> {
  if (args.dev === true) return serveDev(args);
  if (args.data === undefined)
    throw new StartError(
      'USAGE',
      '--data is missing.',
      'Give the folder that berthd init made, or --dev.',
      2,
    );
  const folder = await openDataFolder(args.data);
  const config = await readConfig(args, folder.stored);
  const log = createLog({ level: config.logLevel });
  // From the start: unheard, it would end a server that is still replaying its journal.
  let hangUp = async (): Promise<void> => {};
  process.on('SIGHUP', () => void hangUp());
  const mailPassword = process.env.BERTHD_MAIL_PASSWORD;
  const server = await Server.start({
    folder,
    config,
    log,
    onFatal: (error) => die(error, log),
    ...(mailPassword ? { mailPassword } : {}),
  });
  log.info(
    {
      address: formatAddress({ host: server.host, port: server.port }),
      ...(server.admin === null ? {} : { admin: formatAddress(server.admin) }),
      server: folder.identity.id,
      leaseSeconds: config.leaseSeconds,
    },
    'serving',
  );
  hangUp = () => reload(args, folder, server, log);
  await untilStopped(server, log);
  log.info('stopped');
}

/** SIGHUP: validates, then swaps; the old configuration stays when anything is wrong. */
async function reload(args: ServeArgs, folder: DataFolder, server: Server, log: Log): Promise<void> {
  try {
    const { live, restart } = await server.reload(await readConfig(args, folder.stored));
    log.info({ changed: live }, 'configuration reloaded');
    if (restart.length === 0) return;
    const next = 'Restart berthd when it suits: clients keep their seats meanwhile';
    log.warn({ code: 'RESTART_NEEDED', settings: restart, next }, 'settings that change only at a start');
  } catch (error) {
    if (!(error instanceof StartError)) return die(error, log);
    const { code, message, next } = error;
    log.error({ code, next }, `configuration not reloaded, the old one stays: ${message}`);
  }
}

export async function readConfig(
  args: ServeArgs,
  stored: Readonly<Record<string, unknown>>,
): Promise<Config> {
  const fileName = args.config ?? process.env.BERTHD_CONFIG;
  const fileText = fileName === undefined ? undefined : await readConfigText(fileName);
  const resolved = resolveConfig({
    flags: args,
    env: process.env,
    stored,
    ...(fileText === undefined || fileName === undefined ? {} : { fileText, fileName }),
  });
  if (resolved.ok) return resolved.config;
  const [first, ...others] = resolved.errors;
  const also = others.map(({ message, next }) => `\n  Also: ${message} ${next}`).join('');
  throw new StartError('CONFIG_INVALID', first!.message, `${first!.next}${also}`, 2);
}

async function readConfigText(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new StartError(
      'CONFIG_UNREADABLE',
      `The configuration ${path} cannot be read: ${error.message}.`,
      'Check the path given with --config.',
      2,
    );
  });
}
