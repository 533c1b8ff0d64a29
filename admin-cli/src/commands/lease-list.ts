import { defineCommand } from '../command.js';
import { table } from '../output.js';
import { listPages, moreNote, pageOptions, parsePaging } from '../pages.js';
import { given, optional, parseProduct, parseUser } from '../parse.js';
import { withAdmin } from '../session.js';
import { momentCell } from '../words.js';

export const leaseList = defineCommand({
  usage: 'list',
  describe: 'List who holds which seat now, borrows too',
  options: {
    product: { type: 'string', describe: 'only this product' },
    user: { type: 'string', describe: 'only this user: e-mail address, or a login name' },
    ...pageOptions,
  },
  examples: [
    ['berth lease list --product render', 'who has the seats of render'],
    ['berth lease list --user anna@studio.example --json', 'what Anna holds, for a script'],
  ],
  more: 'ENDS is when the right ends if nothing is renewed, FREE when the seat can then be granted again, RELEASE when an admin takes it back (`berth lease release --in`). Local time.',
  run: async (context, args) => {
    const paging = parsePaging(args);
    const email = optional(args.user, parseUser);
    const product = optional(args.product, (text) => parseProduct(text, '--product'));
    const list = await withAdmin(context, (admin) =>
      listPages(paging, (page) => admin.call('lease.list', given({ ...page, email, product }))),
    );
    return {
      document: list,
      text: (screen) =>
        table(
          list.items,
          [
            { title: 'ID', cell: (row) => row.id },
            { title: 'PRODUCT', cell: (row) => row.product },
            { title: 'SEATS', weight: 'high', cell: (row) => row.seats },
            { title: 'KIND', cell: (row) => row.kind },
            { title: 'STATE', cell: (row) => row.state },
            { title: 'USER', cell: (row) => row.user },
            { title: 'DEVICE', cell: (row) => row.device },
            { title: 'SINCE', weight: 'low', cell: (row) => momentCell(row.sinceMs) },
            { title: 'ENDS', cell: (row) => momentCell(row.expiresAtMs) },
            { title: 'FREE', weight: 'high', cell: (row) => momentCell(row.freeAtMs) },
            {
              title: 'RELEASE',
              cell: (row) => (row.releaseAtMs === null ? '' : momentCell(row.releaseAtMs)),
            },
          ],
          screen,
        ),
      notes: moreNote(list),
    };
  },
});
