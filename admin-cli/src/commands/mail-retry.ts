import { defineCommand } from '../command.js';
import { usage } from '../fail.js';
import { given, optional, parseId } from '../parse.js';
import { withAdmin } from '../session.js';

export const mailRetry = defineCommand({
  usage: 'retry [id]',
  describe: 'Try again now: mails that were given up, or that wait for a pause to end',
  positionals: { id: { type: 'string', describe: 'id as in `berth mail list`' } },
  options: {
    all: { type: 'boolean', default: false, describe: 'every mail that waits or was given up' },
  },
  examples: [
    ['berth mail retry m-7k2m', 'one mail'],
    ['berth mail retry --all', 'after the mail server was mended'],
  ],
  run: async (context, args) => {
    const id = optional(args.id, (text) => parseId(text, 'ID'));
    if ((id === undefined) !== args.all)
      throw usage('Say which mail, or --all.', 'Give an ID of `berth mail list`, or --all.');
    const key = context.sdk.newIdempotencyKey();
    const document = await withAdmin(context, (admin) => admin.call('mail.retry', given({ key, id })));
    const { retried } = document;
    const what = retried === 1 ? '1 mail is' : `${retried} mails are`;
    return { document, text: '', notes: [`${what} tried again now: berth mail list`] };
  },
});
