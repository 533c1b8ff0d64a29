import { defineCommand } from '../command.js';
import { table } from '../output.js';
import { listPages, moreNote, pageOptions, parsePaging } from '../pages.js';
import { parseUser } from '../parse.js';
import { withAdmin } from '../session.js';
import { momentCell } from '../words.js';

export const userDevices = defineCommand({
  usage: 'devices <email>',
  describe: 'List the devices that a member has joined with',
  positionals: { email: { type: 'string', demandOption: true, describe: 'e-mail address, or a login name' } },
  options: pageOptions,
  examples: [
    ['berth user devices anna@studio.example', 'all of hers'],
    ['berth user devices anna@studio.example --json', 'for a script'],
  ],
  run: async (context, args) => {
    const paging = parsePaging(args);
    const email = parseUser(args.email);
    const list = await withAdmin(context, (admin) =>
      listPages(paging, (page) => admin.call('user.devices', { ...page, email })),
    );
    return {
      document: list,
      text: (screen) =>
        table(
          list.items,
          [
            { title: 'NAME', cell: (row) => row.name },
            { title: 'ID', cell: (row) => row.id },
            { title: 'JOINED', cell: (row) => momentCell(row.enrolledAtMs) },
            { title: 'SCOPES', cell: (row) => row.scopes.join(', ') },
            { title: 'LEASES', cell: (row) => row.leases },
            { title: 'BORROWS', cell: (row) => row.borrows },
          ],
          screen,
        ),
      notes: moreNote(list),
    };
  },
});
