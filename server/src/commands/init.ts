import { canonicalEmail, canonicalName, formatAddress } from '@berth/protocol';
import type { CommandModule } from 'yargs';
import { linkAddress } from '../address.js';
import { Invitations } from '../engine/invitations.js';
import { foundServer } from '../found.js';
import { type Config, resolveConfig } from '../ops/config.js';
import { StartError } from '../start-error.js';
import { printReport } from './print.js';

interface InitArgs {
  readonly data: string;
  readonly owner: string;
  readonly name?: string | undefined;
  readonly listen?: string | undefined;
  readonly advertise?: readonly string[] | undefined;
  readonly json?: boolean | undefined;
}

export const initCommand: CommandModule<object, InitArgs> = {
  command: 'init',
  describe: 'Make a new server in an empty folder and print the join link of its owner',
  builder: (yargs) =>
    yargs
      .option('data', {
        type: 'string',
        demandOption: true,
        requiresArg: true,
        describe: 'The data folder, missing or empty',
      })
      .option('owner', {
        type: 'string',
        demandOption: true,
        requiresArg: true,
        describe: 'E-mail of the first owner',
      })
      .option('name', {
        type: 'string',
        requiresArg: true,
        describe: 'Name of the organisation (default: the domain of the owner)',
      })
      .option('listen', {
        type: 'string',
        requiresArg: true,
        describe: 'HOST:PORT to listen on (default 0.0.0.0:7433)',
      })
      .option('advertise', {
        type: 'string',
        array: true,
        requiresArg: true,
        describe: 'Names or addresses clients reach it by; the first goes into join links',
      })
      .option('json', { type: 'boolean', describe: 'Print one JSON object' })
      .example('$0 init --data /var/lib/berthd --owner it@studio.example', 'a server on port 7433')
      .example(
        '$0 init --data ./berth --owner it@studio.example --listen 127.0.0.1:7433',
        'for this computer only',
      ),
  handler: init,
};

async function init(args: InitArgs): Promise<void> {
  const owner = canonicalEmail(args.owner);
  if (owner === null)
    throw new StartError(
      'EMAIL_INVALID',
      `--owner ${args.owner} is not an e-mail address.`,
      'The form is name@example.com.',
      2,
    );
  const name = canonicalName(args.name ?? owner.slice(owner.indexOf('@') + 1));
  if (name === null || name === '')
    throw new StartError('NAME_INVALID', '--name is not a name.', 'Use 1 to 120 printable characters.', 2);
  const { config, settings } = readSettings(args);
  const { identity, invitation } = await foundServer(args.data, { name, owner }, config, settings);
  const link = new Invitations(identity.seed).link(invitation, linkAddress(config), identity.publicKey);
  const report = {
    serverId: identity.id,
    serverKey: identity.keyText,
    organisation: name,
    owner,
    listen: formatAddress(config.listen),
    link,
  };
  printReport(args, report, textOf(report, args.data), {
    done: 'The server is made, but its owner has no way in without the link that was to be printed.',
    next: `Free some space, remove the folder ${args.data}, and give the command again.`,
  });
}

function textOf(
  report: {
    serverId: string;
    serverKey: string;
    organisation: string;
    owner: string;
    listen: string;
    link: string;
  },
  data: string,
): string {
  return [
    `Server id:   ${report.serverId}`,
    `Server key:  ${report.serverKey}`,
    `Organisation ${report.organisation}, listening on ${report.listen}`,
    `Join link of the owner, ${report.owner} (once, within the time of an invitation):`,
    '',
    `  ${report.link}`,
    '',
    `Next: berthd serve --data ${data}, then on the owner's computer: npx --no-install berth join LINK`,
    '',
  ].join('\n');
}

/** What it was told is stored by configuration key; flags, environment and file of `berthd serve` still win over it. */
function readSettings(args: InitArgs): { config: Config; settings: Record<string, unknown> } {
  const settings: Record<string, unknown> = {
    ...(args.listen === undefined ? {} : { listen: args.listen }),
    ...(args.advertise === undefined ? {} : { advertise: args.advertise }),
  };
  // As flags, so that an error names what was typed.
  const flags = {
    ...settings,
    ...(args.advertise === undefined ? {} : { advertise: args.advertise.join(',') }),
  };
  const resolved = resolveConfig({ flags, env: {} });
  if (resolved.ok) return { config: resolved.config, settings };
  const [first] = resolved.errors;
  throw new StartError('CONFIG_INVALID', first!.message, first!.next, 2);
}
