import { canonicalText, limits } from '@berth/protocol';
import { defineCommand } from '../command.js';
import { Failure, failureJson, failureText } from '../fail.js';
import { parseId } from '../parse.js';
import { withAdmin } from '../session.js';

export const leaseMessage = defineCommand({
  usage: 'message <id> <text>',
  describe: 'Show a message to the person who holds a seat',
  positionals: {
    id: { type: 'string', demandOption: true, describe: 'id as in `berth lease list`' },
    text: { type: 'string', demandOption: true, describe: 'plain text; quote it' },
  },
  examples: [
    [
      'berth lease message l7k2m "Please save: the seat is needed at six"',
      'their plugin shows it, `berth run` prints it',
    ],
  ],
  more: `At most ${limits.messageChars} characters. The answer says whether a plugin got it ("delivered"): one that is not connected does not, and nothing is kept for it.`,
  exits: [[5, 'the plugin is not connected: nobody saw the message']],
  run: async (context, args) => {
    const lease = parseId(args.id, 'ID');
    const text = canonicalText(args.text, limits.messageChars);
    if (text === null) throw new Failure('MESSAGE_INVALID');
    const document = await withAdmin(context, (admin) =>
      admin.call('lease.message', { key: context.sdk.newIdempotencyKey(), lease, text }),
    );
    if (document.delivered) return { document, text: '', notes: [`Delivered to the plugin of ${lease}.`] };
    const failure = new Failure('NOT_DELIVERED');
    context.stderr.write(failureText(failure, context));
    const said = { ...document, error: failureJson(failure) };
    return { document: said, text: '', exitCode: failure.exitCode };
  },
});
