import { defineCommand } from '../command.js';
import { table } from '../output.js';
import { listPages, moreNote, pageOptions, parsePaging } from '../pages.js';
import { withAdmin } from '../session.js';
import { momentCell } from '../words.js';

export const bulkList = defineCommand({
  usage: 'list',
  describe: 'List bulk jobs, the newest first',
  options: pageOptions,
  examples: [['berth bulk list', 'what was applied, by whom, and how it went']],
  more: 'Jobs and their reports are kept for 90 days after they ended.',
  run: async (context, args) => {
    const paging = parsePaging(args);
    const list = await withAdmin(context, (admin) =>
      listPages(paging, (page) => admin.call('bulk.list', page)),
    );
    return {
      document: list,
      text: (screen) =>
        table(
          list.items,
          [
            { title: 'ID', cell: (row) => row.id },
            { title: 'KIND', cell: (row) => row.kind },
            { title: 'BY', cell: (row) => row.by },
            { title: 'MADE', cell: (row) => momentCell(row.madeAtMs) },
            { title: 'STATE', cell: (row) => (row.endedAtMs === undefined ? 'running' : 'done') },
            { title: 'ROWS', cell: (row) => row.rows },
            { title: 'DONE', cell: (row) => row.done },
            { title: 'SO ALREADY', cell: (row) => row.unchanged },
            { title: 'FAILED', cell: (row) => row.failed },
          ],
          screen,
        ),
      notes: moreNote(list),
    };
  },
});
