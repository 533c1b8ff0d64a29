import { defineCommand } from '../command.js';
import { confirm } from '../confirm.js';
import { parseEmail } from '../parse.js';
import { pendingOptions, removalNote, whenOf } from '../pending.js';
import { withAdmin } from '../session.js';

export const userRemove = defineCommand({
  usage: 'remove <email>',
  describe: 'Remove a user with all their devices; their leases end',
  positionals: { email: { type: 'string', demandOption: true, describe: 'e-mail address' } },
  options: pendingOptions,
  examples: [
    ['berth user remove anna@studio.example --yes', 'remove her without being asked'],
    [
      'berth user remove anna@studio.example --pending --yes',
      'and if she has borrowed: as soon as it is back',
    ],
  ],
  more: 'Refused while seats are allocated to the user (`berth license revoke` first) or borrowed by them. With --pending a removal that only a borrow forbids waits for its end by itself; until then the user gets nothing new.',
  run: async (context, args) => {
    const email = parseEmail(args.email);
    const when = whenOf(args);
    if (!args.cancel)
      await confirm(context, `Remove ${email}? Their devices are locked out and their seats end.`);
    const document = await withAdmin(context, (admin) =>
      admin.call('user.remove', { key: context.sdk.newIdempotencyKey(), email, ...when }),
    );
    return { document, text: '', notes: [removalNote(document.email, document, args, context.nowMs())] };
  },
});
