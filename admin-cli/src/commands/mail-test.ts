import { defineCommand } from '../command.js';
import { given, optional, parseEmail } from '../parse.js';
import { withAdmin } from '../session.js';

export const mailTest = defineCommand({
  usage: 'test [email]',
  describe: 'Send a test mail at once and say what the mail server answered',
  positionals: { email: { type: 'string', describe: 'to whom (default: yourself)' } },
  examples: [
    ['berth mail test', 'to yourself'],
    ['berth mail test anna@studio.example', 'to somebody else'],
  ],
  more: 'A mail that did not get through stays in the outbox and is tried again.',
  exits: [[1, 'the mail server did not take it; the answer says why']],
  run: async (context, args) => {
    const email = optional(args.email, parseEmail);
    const key = context.sdk.newIdempotencyKey();
    const document = await withAdmin(context, (admin) => admin.call('mail.test', given({ key, email })));
    const { to, state, error, id } = document.mail;
    return state === 'sent'
      ? { document, text: `The mail server took a mail to ${to}.` }
      : {
          document,
          text: '',
          notes: [
            error === undefined
              ? `The mail server has not answered yet: nobody knows whether it takes the mail to ${to}.`
              : `The mail to ${to} was not taken: ${error}`,
            `It is ${state === 'failed' ? 'given up' : 'tried again by itself'}: berth mail show ${id}. The settings are mail.* of berthd; a changed file counts after SIGHUP.`,
          ],
          exitCode: 1,
        };
  },
});
