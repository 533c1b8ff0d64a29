import { defineCommand } from '../command.js';
import { table } from '../output.js';
import { listPages, moreNote, pageOptions, parsePaging } from '../pages.js';
import { given } from '../parse.js';
import { withAdmin } from '../session.js';
import { momentCell } from '../words.js';

export const machineTokenList = defineCommand({
  usage: 'list',
  describe: 'List the tokens with which machines join, ended ones too',
  options: pageOptions,
  examples: [['berth machine token list --json', 'for a script: { items, next }']],
  run: async (context, args) => {
    const paging = parsePaging(args);
    const list = await withAdmin(context, (admin) =>
      listPages(paging, (page) => admin.call('machine.token.list', given({ ...page }))),
    );
    return {
      document: list,
      text: (screen) =>
        table(
          list.items,
          [
            { title: 'ID', cell: (row) => row.id },
            { title: 'NAME', cell: (row) => row.name },
            { title: 'GROUP', cell: (row) => row.group ?? '' },
            { title: 'STATE', cell: (row) => row.state },
            { title: 'USES', cell: (row) => `${row.uses}/${row.maxUses}` },
            {
              title: 'EXPIRES',
              cell: (row) => (row.expiresAtMs === null ? '' : momentCell(row.expiresAtMs)),
            },
            { title: 'MADE BY', cell: (row) => row.by },
          ],
          screen,
        ),
      notes: moreNote(list),
    };
  },
});
