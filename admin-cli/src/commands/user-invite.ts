import { defineCommand } from '../command.js';
import { given, optional, parseEmail, parseName } from '../parse.js';
import { withAdmin } from '../session.js';
import { momentWords } from '../words.js';

export const userInvite = defineCommand({
  usage: 'invite <email>',
  describe: 'Make somebody a member and print the link with which they join',
  positionals: { email: { type: 'string', demandOption: true, describe: 'e-mail address' } },
  options: {
    name: { type: 'string', describe: 'name of the person' },
    role: { type: 'string', describe: 'owner, admin, viewer or user (default: user)' },
    device: { type: 'boolean', describe: 'a further device of somebody who has joined already' },
  },
  examples: [
    ['berth user invite anna@studio.example --name "Anna Ek"', 'a user; the link is alone on stdout'],
    ['berth user invite bo@studio.example --role admin', 'somebody who may run this command too'],
    ['berth user invite bo@studio.example --device', 'a link for another computer of the same person'],
  ],
  more: 'The link works once and for one device. Inviting somebody again who has not joined yet makes a new link and ends the old one.',
  run: async (context, args) => {
    const email = parseEmail(args.email);
    const name = optional(args.name, parseName);
    const key = context.sdk.newIdempotencyKey();
    const invited = await withAdmin(context, (admin) =>
      admin.call('user.invite', given({ key, email, name, role: args.role, device: args.device })),
    );
    const { user, link, expiresAtMs } = invited;
    const until = momentWords(expiresAtMs, context.nowMs());
    return {
      document: invited,
      text: link,
      notes: [`Invited ${user.email} (${user.role}). The link works once and ends ${until}: berth join LINK`],
    };
  },
});
