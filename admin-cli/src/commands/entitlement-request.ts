import { defineCommand } from '../command.js';
import { writeText } from '../files.js';
import { fields, json } from '../output.js';

export const entitlementRequest = defineCommand({
  usage: 'request',
  describe: 'Print what a vendor needs to sign an entitlement for this server',
  options: { out: { type: 'string', describe: 'write it to a file as JSON' } },
  examples: [
    ['berth entitlement request --out request.json', 'a file to send to the vendor'],
    ['berth entitlement request --json', 'the same on stdout: { serverId, serverKey }'],
  ],
  run: async (context, args) => {
    const { contextName, home } = context.settings;
    // The key was pinned when this device joined, so the server need not be asked.
    const { serverId, serverKey } = await context.sdk.identities(home).read(contextName);
    const document = { serverId, serverKey };
    if (args.out !== undefined && args.out !== '-') await writeText(context, args.out, json(document));
    const toFile = args.out !== undefined && args.out !== '-';
    return {
      document,
      text:
        args.out === '-'
          ? json(document)
          : toFile
            ? ''
            : fields([
                ['server id', serverId],
                ['server key', serverKey],
              ]),
      notes: toFile ? [`Wrote ${args.out}. Send it to the vendor.`] : [],
    };
  },
});
