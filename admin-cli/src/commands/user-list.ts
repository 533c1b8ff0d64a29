import { defineCommand } from '../command.js';
import { table } from '../output.js';
import { listPages, moreNote, pageOptions, parsePaging } from '../pages.js';
import { given } from '../parse.js';
import { pendingCell } from '../pending.js';
import { withAdmin } from '../session.js';

export const userList = defineCommand({
  usage: 'list',
  describe: 'List members and invited people',
  options: { search: { type: 'string', describe: 'a part of the e-mail, name or role' }, ...pageOptions },
  examples: [
    ['berth user list', 'everybody'],
    ['berth user list --search anna --json', 'some, for a script'],
  ],
  run: async (context, args) => {
    const paging = parsePaging(args);
    const { search } = args;
    const list = await withAdmin(context, (admin) =>
      listPages(paging, (page) => admin.call('user.list', given({ ...page, search }))),
    );
    return {
      document: list,
      text: (screen) =>
        table(
          list.items,
          [
            { title: 'EMAIL', cell: (row) => row.email },
            { title: 'NAME', cell: (row) => row.name },
            { title: 'ROLE', cell: (row) => row.role },
            { title: 'STATE', cell: (row) => row.state },
            { title: 'DEVICES', cell: (row) => row.devices },
            {
              title: 'ALLOCATED',
              cell: (row) => row.products.map((p) => `${p.quantity} ${p.product}`).join(', '),
            },
            { title: 'REMOVAL PENDING', cell: (row) => pendingCell(row.removing, context.nowMs()) },
          ],
          screen,
        ),
      notes: moreNote(list),
    };
  },
});
