import { defineCommand } from '../command.js';
import { table } from '../output.js';
import { listPages, moreNote, pageOptions, parsePaging } from '../pages.js';
import { given, optional, parseProduct } from '../parse.js';
import { pendingCell } from '../pending.js';
import { withAdmin } from '../session.js';

export const entitlementList = defineCommand({
  usage: 'list',
  describe: 'List entitlements, ended ones too',
  options: { product: { type: 'string', describe: 'only this product' }, ...pageOptions },
  examples: [
    ['berth entitlement list', 'all of them'],
    ['berth entitlement list --product render --json', 'those of one product, for a script'],
  ],
  run: async (context, args) => {
    const paging = parsePaging(args);
    const product = optional(args.product, (text) => parseProduct(text, '--product'));
    const list = await withAdmin(context, (admin) =>
      listPages(paging, (page) => admin.call('entitlement.list', given({ ...page, product }))),
    );
    return {
      document: list,
      text: (screen) =>
        table(
          list.items,
          [
            { title: 'ID', cell: (row) => row.id },
            { title: 'REV', cell: (row) => row.rev },
            { title: 'PRODUCT', cell: (row) => row.product },
            { title: 'SEATS', cell: (row) => row.seats },
            { title: 'ALLOCATED', cell: (row) => row.allocated },
            { title: 'FROM', cell: (row) => row.from },
            { title: 'UNTIL', cell: (row) => row.until },
            { title: 'DAYS LEFT', cell: (row) => row.daysLeft },
            { title: 'STATE', cell: (row) => row.state },
            {
              title: 'REMOVAL PENDING',
              weight: 'high',
              cell: (row) => pendingCell(row.removing, context.nowMs()),
            },
            { title: 'NUMBER', cell: (row) => row.display.number ?? '' },
          ],
          screen,
        ),
      notes: moreNote(list),
    };
  },
});
