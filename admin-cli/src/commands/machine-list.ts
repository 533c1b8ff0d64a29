import { defineCommand } from '../command.js';
import { table } from '../output.js';
import { listPages, moreNote, pageOptions, parsePaging } from '../pages.js';
import { given, optional, parseName } from '../parse.js';
import { withAdmin } from '../session.js';
import { momentCell } from '../words.js';

export const machineList = defineCommand({
  usage: 'list',
  describe: 'List the machines that have joined by themselves',
  options: { group: { type: 'string', describe: 'only machines of this group' }, ...pageOptions },
  examples: [['berth machine list --group farm', 'the render nodes and the seats they have']],
  run: async (context, args) => {
    const paging = parsePaging(args);
    const group = optional(args.group, parseName);
    const list = await withAdmin(context, (admin) =>
      listPages(paging, (page) => admin.call('machine.list', given({ ...page, group }))),
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
            { title: 'TOKEN', cell: (row) => row.token },
            { title: 'JOINED', cell: (row) => momentCell(row.enrolledAtMs) },
            { title: 'SEATS', cell: (row) => row.seats },
            { title: 'BORROWED', cell: (row) => row.borrowed },
          ],
          screen,
        ),
      notes: moreNote(list),
    };
  },
});
