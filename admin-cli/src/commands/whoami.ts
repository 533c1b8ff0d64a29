import type { Me } from '@berth/client';
import { roleAtLeast } from '@berth/protocol';
import { defineCommand } from '../command.js';
import type { Context } from '../context.js';
import { fields } from '../output.js';
import { withEither } from '../session.js';
import { version } from '../version.js';

export const whoami = defineCommand({
  usage: 'whoami',
  describe: 'Show who this device is on the licence server, and the versions of both',
  examples: [
    ['berth whoami', 'the current context'],
    ['berth whoami --context studio --json', 'another one, for a script'],
  ],
  run: async (context) => {
    const { contextName, home } = context.settings;
    const joined = await context.sdk.identities(home).read(contextName);
    const { me, serverVersion } = await ask(context);
    const document = {
      context: joined.name,
      user: me.user,
      device: me.device,
      organisation: me.organisation,
      server: { ...me.server, address: me.address, version: serverVersion },
      scopes: joined.scopes,
      leaseSeconds: me.leaseSeconds,
      version,
    };
    const text = fields([
      ['user', `${me.user.email} (${me.user.role})`],
      ['name', me.user.name],
      ['device', `${me.device.name} (${me.device.id})`],
      ['organisation', me.organisation.name],
      ['server', `${me.address} (${me.server.id})`],
      ['server key', me.server.key],
      ['context', `${joined.name} (scopes: ${joined.scopes.join(', ')})`],
      ['berth', version],
      ['berthd', serverVersion],
    ]);
    return { document, text };
  },
});

/** The version of the server is said on the admin path only. */
async function ask(context: Context): Promise<{ me: Me; serverVersion: string | null }> {
  return await withEither(
    context,
    async (channel) => {
      const { me } = channel;
      if (!roleAtLeast(me.user.role, 'viewer')) return { me, serverVersion: null };
      const { version: serverVersion } = await channel.call('organisation.show', {});
      return { me, serverVersion };
    },
    async ({ me }) => ({ me, serverVersion: null }),
  );
}
