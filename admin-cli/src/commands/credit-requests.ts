import { defineCommand } from '../command.js';
import { accessWords } from '../credits.js';
import { table } from '../output.js';
import { listPages, moreNote, pageOptions, parsePaging } from '../pages.js';
import { withAdmin } from '../session.js';
import { momentCell } from '../words.js';

export const creditRequests = defineCommand({
  usage: 'requests',
  describe: 'List who asked for more credits and waits for an answer',
  options: {
    all: { type: 'boolean', default: false, describe: 'also the last one of each that was answered' },
    ...pageOptions,
  },
  examples: [
    ['berth credit requests', 'who waits, the oldest first'],
    ['berth credit requests --all --json', 'for a script'],
  ],
  run: async (context, args) => {
    const paging = parsePaging(args);
    const all = args.all ? { all: true } : {};
    const list = await withAdmin(context, (admin) =>
      listPages(paging, (page) => admin.call('credit.requests', { ...page, ...all })),
    );
    return {
      document: list,
      text: (screen) =>
        table(
          list.items,
          [
            { title: 'EMAIL', cell: (row) => row.email },
            { title: 'ASKS FOR', cell: (row) => row.credits },
            { title: 'SINCE', cell: (row) => momentCell(row.madeAtMs) },
            { title: 'MAY SPEND', cell: (row) => accessWords(row.now) },
            { title: 'SPENT', cell: (row) => row.now.used },
            {
              title: 'ANSWER',
              cell: ({ answer }) =>
                answer === undefined ? '' : `${answer.approved ? 'yes' : 'no'}, ${answer.by}`,
            },
            { title: 'WHAT FOR', cell: (row) => row.note },
          ],
          screen,
        ),
      notes: moreNote(list, 'Nobody waits.'),
    };
  },
});
