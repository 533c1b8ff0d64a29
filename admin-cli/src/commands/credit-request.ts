import { defineCommand } from '../command.js';
import { parseCredits } from '../credits.js';
import { given } from '../parse.js';
import { withLease } from '../session.js';

export const creditRequest = defineCommand({
  usage: 'request <credits>',
  describe: 'Ask the admins for more credits than you may spend',
  positionals: { credits: { type: 'string', demandOption: true, describe: 'how many more' } },
  options: { note: { type: 'string', describe: 'what for; at most 400 characters' } },
  examples: [
    ['berth credit request 500 --note "the trailer"', 'they get a mail, and so do you with the answer'],
  ],
  run: async (context, args) => {
    const credits = parseCredits(args.credits);
    const params = given({ key: context.sdk.newIdempotencyKey(), credits, note: args.note });
    const document = await withLease(context, (lease) => lease.call('credit.request', params));
    return { document, text: '', notes: ['Asked. The admins were told; the answer comes by mail: berth me'] };
  },
});
