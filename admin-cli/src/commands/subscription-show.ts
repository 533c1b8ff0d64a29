import { defineCommand } from '../command.js';
import { Failure } from '../fail.js';
import { listPages, parsePaging } from '../pages.js';
import { parseLabel } from '../parse.js';
import { withAdmin } from '../session.js';
import { describeEntitlement } from './entitlement-show.js';

export const subscriptionShow = defineCommand({
  usage: 'show <number>',
  describe: 'Show a subscription: dates, days left, licence key, what was ordered, links',
  positionals: {
    number: {
      type: 'string',
      demandOption: true,
      describe: 'number as in `berth subscription list`, or its id',
    },
  },
  options: {
    'copy-key': {
      type: 'boolean',
      default: false,
      describe: 'print only the licence key, to copy or to pipe',
    },
  },
  examples: [
    ['berth subscription show S-1042', 'everything about it'],
    ['berth subscription show S-1042 --copy-key | wl-copy', 'its licence key, on the clipboard'],
  ],
  run: async (context, args) => {
    const subscription = parseLabel(args.number, 'NUMBER');
    const paging = parsePaging({ limit: undefined, cursor: undefined });
    const { items } = await withAdmin(context, (admin) =>
      listPages(paging, (page) => admin.call('entitlement.list', { ...page, subscription })),
    );
    if (items.length === 0)
      throw new Failure('ENTITLEMENT_UNKNOWN', {
        message: `There is no subscription ${subscription}.`,
        next: 'See `berth subscription list`.',
      });
    const document = { items, next: null };
    if (!args['copy-key'])
      return { document, text: items.map((each) => describeEntitlement(each, context.nowMs())).join('\n\n') };
    const keys = [...new Set(items.flatMap(({ display }) => display.licenseKey ?? []))];
    if (keys.length === 0)
      throw new Failure('ENTITLEMENT_UNKNOWN', {
        message: `Subscription ${subscription} has no licence key.`,
        next: 'The vendor has written none into it: ask them whether there is one.',
      });
    return { document, text: keys.join('\n') };
  },
});
