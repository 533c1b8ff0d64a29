import { defineCommand } from '../command.js';
import { confirm } from '../confirm.js';
import { given, parseId } from '../parse.js';
import { withAdmin } from '../session.js';
import { momentWords } from '../words.js';

export const leaseRelease = defineCommand({
  usage: 'release <id>',
  describe: 'Take a seat away from whoever holds it',
  positionals: { id: { type: 'string', demandOption: true, describe: 'id as in `berth lease list`' } },
  options: { reason: { type: 'string', describe: 'shown to the person at the plugin' } },
  examples: [
    ['berth lease release l-7k2m --reason "The workstation is being replaced"', 'end it and say why'],
  ],
  more: 'The plugin is told at once; the seat is free when it has stopped, or at the end of its window. A borrow cannot be taken away.',
  run: async (context, args) => {
    const lease = parseId(args.id, 'ID');
    await confirm(context, `Take the seat of lease ${lease} away from whoever uses it?`);
    const key = context.sdk.newIdempotencyKey();
    const document = await withAdmin(context, (admin) =>
      admin.call('lease.revoke', given({ key, lease, reason: args.reason })),
    );
    const free = momentWords(document.freeAtMs, context.nowMs());
    return {
      document,
      text: '',
      notes: [`Revoked ${document.lease}. Its seat is free ${free} at the latest.`],
    };
  },
});
