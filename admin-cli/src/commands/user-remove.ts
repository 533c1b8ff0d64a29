import { defineCommand } from '../command.js';
import { confirm } from '../confirm.js';
import { parseEmail } from '../parse.js';
import { withAdmin } from '../session.js';

export const userRemove = defineCommand({
  usage: 'remove <email>',
  describe: 'Remove a user with all their devices; their leases end',
  positionals: { email: { type: 'string', demandOption: true, describe: 'e-mail address' } },
  examples: [['berth user remove anna@studio.example --yes', 'remove her without being asked']],
  more: 'Refused while seats are allocated to the user (`berth license revoke` first) or borrowed by them.',
  run: async (context, args) => {
    const email = parseEmail(args.email);
    await confirm(context, `Remove ${email}? Their devices are locked out and their seats end.`);
    const document = await withAdmin(context, (admin) =>
      admin.call('user.remove', { key: context.sdk.newIdempotencyKey(), email }),
    );
    return { document, text: '', notes: [`Removed ${document.email}.`] };
  },
});
