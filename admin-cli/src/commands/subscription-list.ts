import { defineCommand } from '../command.js';
import { usage } from '../fail.js';
import { table } from '../output.js';
import { listPages, moreNote, pageOptions, parsePaging } from '../pages.js';
import { given, optional, parseDay, parseLabel, parseProduct } from '../parse.js';
import { withAdmin } from '../session.js';

export const subscriptionList = defineCommand({
  usage: 'list',
  describe: 'List subscriptions: what vendors have granted, with what was ordered',
  options: {
    active: { type: 'boolean', default: false, describe: 'only those that grant seats now' },
    expired: { type: 'boolean', default: false, describe: 'only those that have ended' },
    product: { type: 'string', describe: 'only this product' },
    currency: { type: 'string', describe: 'only what was paid in this currency' },
    'expires-before': { type: 'string', describe: 'only whose last day is earlier, YYYY-MM-DD' },
    ...pageOptions,
  },
  examples: [
    ['berth subscription list --active', 'what grants seats now'],
    ['berth subscription list --expires-before 2027-01-01 --json', 'what to renew, for a script'],
  ],
  run: async (context, args) => {
    if (args.active && args.expired)
      throw usage('--active and --expired exclude each other.', 'Give one of them, or neither.');
    const paging = parsePaging(args);
    const state = args.active ? ('active' as const) : args.expired ? ('expired' as const) : undefined;
    const filter = given({
      state,
      product: optional(args.product, (text) => parseProduct(text, '--product')),
      currency: optional(args.currency, (text) => parseLabel(text, '--currency')),
      expiresBefore: optional(args['expires-before'], (text) => parseDay(text, '--expires-before')),
    });
    const list = await withAdmin(context, (admin) =>
      listPages(paging, (page) => admin.call('entitlement.list', { ...page, ...filter })),
    );
    return {
      document: list,
      text: (screen) =>
        table(
          list.items,
          [
            { title: 'NUMBER', cell: (row) => row.display.number ?? row.id },
            { title: 'PRODUCT', cell: (row) => row.product },
            { title: 'SEATS', weight: 'high', cell: (row) => row.seats },
            { title: 'ADD-ONS', weight: 'low', cell: (row) => row.display.addOns?.join(', ') ?? '' },
            { title: 'FROM', cell: (row) => row.from },
            { title: 'UNTIL', weight: 'high', cell: (row) => row.until },
            { title: 'DAYS LEFT', weight: 'high', cell: (row) => row.daysLeft },
            { title: 'STATE', weight: 'high', cell: (row) => row.state },
            { title: 'ORDERED FROM', cell: (row) => row.display.orderedFrom ?? '' },
            { title: 'CURRENCY', cell: (row) => row.display.currency ?? '' },
            { title: 'PAYMENT', cell: (row) => row.display.paymentMethod ?? '' },
          ],
          screen,
        ),
      notes: moreNote(list),
    };
  },
});
