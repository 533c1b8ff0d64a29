import { errors } from '@berth/protocol';
import { defineCommand } from '../command.js';
import type { Context, Output } from '../context.js';
import type { Check } from '../doctor/check.js';
import { lookAtContext, lookAtDisk, lookAtModes, lookAtVersions } from '../doctor/here.js';
import { lookAtAddresses, lookAtServer } from '../doctor/server.js';
import { lookAtAdministration, lookAtSession } from '../doctor/session.js';
import { clean, paint } from '../output.js';
import { cancellable } from '../session.js';

export const doctor = defineCommand({
  usage: 'doctor',
  describe: 'Look for what is wrong between this computer and its licence server, with a fix for each',
  examples: [
    ['berth doctor', 'the current context, its keys, its servers'],
    ['berth doctor --json', 'for a script: { checks: [ { name, state, detail, fix } ] }'],
  ],
  more: 'Nothing is changed. Each check is ok, warn or fail. What IT looks at on the server itself is `berthd check`.',
  exits: [[0, 'nothing failed; warnings are none']],
  run: async (context) => {
    const checks = await cancellable(context, look(context));
    const failed = checks.find(({ state }) => state === 'fail');
    return {
      document: { checks },
      text: (screen) => checks.map((check) => line(check, screen)).join('\n'),
      exitCode: failed?.code === undefined ? 0 : errors[failed.code].exit,
    };
  },
});

async function look(context: Context): Promise<Check[]> {
  const { check, joined } = await lookAtContext(context);
  const disk = await lookAtDisk(context);
  const { nodeVersion: node } = context;
  if (joined === null) return [check, lookAtVersions(node, null), disk];
  const modes = await lookAtModes(context, joined);
  // First: a session learns a replaced authority from the server's own key, with which its certificate is then looked at.
  const session = await lookAtSession(context);
  const { checks: admin, serverVersion } = await lookAtAdministration(context, joined);
  const { caPem } = await context.sdk.identities(context.settings.home).read(joined.name);
  const { servers, checks: addresses } = await lookAtAddresses(context, joined);
  const reached = await Promise.all(servers.map((server) => lookAtServer(context, server, caPem)));
  return [
    check,
    modes,
    disk,
    ...addresses,
    ...reached.flat(),
    ...session,
    ...admin,
    lookAtVersions(node, serverVersion),
  ];
}

const colours = { ok: undefined, warn: 'bold', fail: 'red' } as const;

function line({ name, state, detail, fix }: Check, screen: Output): string {
  const colour = colours[state];
  const word = colour === undefined ? state.padEnd(4) : paint(screen, colour, state.padEnd(4));
  const said = `${word}  ${clean(name)}: ${clean(detail)}`;
  return fix === null ? said : `${said}\n      fix: ${clean(fix)}`;
}
