import { defineCommand } from '../command.js';
import type { Context } from '../context.js';
import { usage } from '../fail.js';
import type { Answer } from '../output.js';
import { given, optional, parseId } from '../parse.js';
import { withAdmin } from '../session.js';

export const mailRetry = defineCommand({
  usage: 'retry [id]',
  describe: 'Try again now: mails that were given up, or that wait for a pause to end',
  positionals: { id: { type: 'string', describe: 'id as in `berth mail list`' } },
  options: {
    all: { type: 'boolean', default: false, describe: 'every mail that waits or was given up' },
    'dry-run': { type: 'boolean', default: false, describe: 'say how many it would be, and change nothing' },
  },
  examples: [
    ['berth mail retry m-7k2m', 'one mail'],
    ['berth mail retry --all --dry-run', 'how many that would be'],
    ['berth mail retry --all', 'after the mail server was mended'],
  ],
  run: async (context, args) => {
    const id = optional(args.id, (text) => parseId(text, 'ID'));
    if ((id === undefined) !== args.all)
      throw usage('Say which mail, or --all.', 'Give an ID of `berth mail list`, or --all.');
    if (args['dry-run']) return await wouldRetry(context, given({ id }));
    const key = context.sdk.newIdempotencyKey();
    const document = await withAdmin(context, (admin) => admin.call('mail.retry', given({ key, id })));
    const { retried } = document;
    const verb = retried === 1 ? 'is' : 'are';
    return { document, text: '', notes: [`${mails(retried)} ${verb} tried again now: berth mail list`] };
  },
});

async function wouldRetry(context: Context, which: { readonly id?: string }): Promise<Answer> {
  const { retried } = await withAdmin(context, (admin) => admin.call('mail.retry.preview', which));
  const note = `Would try ${mails(retried)} again now (berth mail list). Nothing was changed.`;
  return { document: { dryRun: true, retried }, text: '', notes: [note] };
}

const mails = (count: number): string => (count === 1 ? '1 mail' : `${count} mails`);
