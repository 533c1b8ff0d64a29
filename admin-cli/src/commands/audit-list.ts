import { auditKinds, type Pruned } from '@berth/protocol';
import { filterOptions, parseFilter, parseTimes, timeOptions } from '../audit/audit-filter.js';
import { byCell, changesText, deviceCell, whenCell } from '../audit/audit-text.js';
import { prunedNote } from '../audit/pruned.js';
import { defineCommand } from '../command.js';
import { table } from '../output.js';
import { listPages, moreNote, pageOptions, parsePaging } from '../pages.js';
import { withAdmin } from '../session.js';

/** What fits a screen or two: the journal has everything that ever was. */
const usualRows = '50';

export const auditList = defineCommand({
  usage: 'list',
  describe: 'List who did what, newest first',
  options: {
    ...filterOptions,
    ...timeOptions,
    ...pageOptions,
    limit: { type: 'string', default: usualRows, describe: 'at most so many rows' },
  },
  examples: [
    ['berth audit list --user anna@studio.example --since 7d', 'what Anna did, and what was done to her'],
    ['berth audit list --product render --kind lease.revoked', 'who took seats of render from whom'],
    [
      'berth audit list --people --since 1d',
      'what admins and users did, without what the server does by itself',
    ],
    ['berth audit list --kind user --limit 500 --json', 'changes of users, for a script'],
  ],
  more: `All that is said must hold. FROM is the address it was asked from. Records of an older berthd do not say who and when. Local time. Kinds: ${auditKinds.join(', ')}.`,
  run: async (context, args) => {
    const paging = parsePaging(args);
    const filter = { ...parseFilter(args), ...parseTimes(context, args) };
    let pruned: Pruned | undefined;
    const list = await withAdmin(context, (admin) =>
      listPages(paging, async (page) => {
        context.progress.say('searching the journal');
        const found = await admin.call('audit.list', { ...page, ...filter });
        pruned = found.pruned;
        return found;
      }),
    );
    return {
      document: { ...list, ...(pruned === undefined ? {} : { pruned }) },
      text: (screen) =>
        table(
          list.items,
          [
            { title: 'WHEN', cell: whenCell },
            { title: 'BY', weight: 'id', cell: byCell },
            { title: 'DEVICE', weight: 'low', cell: deviceCell },
            { title: 'FROM', weight: 'low', cell: ({ from }) => from ?? '' },
            { title: 'DID', cell: ({ did }) => did ?? '' },
            { title: 'WHAT CHANGED', weight: 'high', cell: changesText },
            { title: 'RECORD', weight: 'low', cell: ({ seq, place }) => `${seq}.${place}` },
          ],
          screen,
        ),
      notes: [...moreNote(list), ...(list.next === null ? prunedNote(pruned) : [])],
    };
  },
});
