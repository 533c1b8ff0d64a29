import { defineCommand } from '../command.js';
import { table } from '../output.js';
import { listPages, moreNote, pageOptions, parsePaging } from '../pages.js';
import { given, optional, parseProduct, parseUser } from '../parse.js';
import { pendingCell } from '../pending.js';
import { withAdmin } from '../session.js';

export const licenseList = defineCommand({
  usage: 'list [email]',
  describe: 'List the seats that are set aside for users',
  positionals: {
    email: { type: 'string', describe: 'only those of this user: e-mail address, or a login name' },
  },
  options: { product: { type: 'string', describe: 'only this product' }, ...pageOptions },
  examples: [
    ['berth license list', 'all of them'],
    ['berth license list anna@studio.example --json', 'those of one user, for a script'],
  ],
  run: async (context, args) => {
    const paging = parsePaging(args);
    const email = optional(args.email, parseUser);
    const product = optional(args.product, (text) => parseProduct(text, '--product'));
    const list = await withAdmin(context, (admin) =>
      listPages(paging, (page) => admin.call('allocation.list', given({ ...page, email, product }))),
    );
    return {
      document: list,
      text: (screen) =>
        table(
          list.items,
          [
            { title: 'EMAIL', cell: (row) => row.email },
            { title: 'PRODUCT', cell: (row) => row.product },
            { title: 'QUANTITY', weight: 'high', cell: (row) => row.quantity },
            { title: 'IN USE', cell: (row) => row.inUse },
            { title: 'BORROWED', weight: 'high', cell: (row) => row.borrowed },
            { title: 'EXPIRES', weight: 'high', cell: (row) => row.expires },
            { title: 'PERSONAL', weight: 'low', cell: (row) => (row.personal ? 'yes' : 'no') },
            {
              title: 'REVOKE PENDING',
              weight: 'high',
              cell: (row) => pendingCell(row.revoking, context.nowMs()),
            },
            { title: 'ENTITLEMENT', cell: (row) => row.entitlement },
          ],
          screen,
        ),
      notes: moreNote(list),
    };
  },
});
