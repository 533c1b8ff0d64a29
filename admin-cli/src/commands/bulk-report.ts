import type { BulkJobInfo } from '@berth/protocol';
import { countWords, rowCsv, rowTable } from '../bulk.js';
import { defineCommand } from '../command.js';
import { listPages, moreNote, pageOptions, parsePaging } from '../pages.js';
import { given, parseId } from '../parse.js';
import { withAdmin } from '../session.js';

export const bulkReport = defineCommand({
  usage: 'report <id>',
  describe: 'Show what became of each row of a bulk job',
  positionals: { id: { type: 'string', demandOption: true, describe: 'id as in `berth bulk list`' } },
  options: {
    failures: { type: 'boolean', default: false, describe: 'only rows that failed' },
    csv: { type: 'boolean', default: false, describe: 'as a table that can be edited and applied again' },
    ...pageOptions,
  },
  examples: [
    ['berth bulk report j-7k2m --failures', 'which rows failed, and why'],
    ['berth bulk report j-7k2m --failures --csv > failed.csv', 'the same, for the next bulk command'],
    ['berth bulk apply revoke --csv failed.csv', 'as where users could not be removed who have seats'],
  ],
  more: 'In the table that --csv prints, a cell that a spreadsheet would run as a formula begins with an apostrophe. A row that was cut short lacks its last cell, `line`; one that was too long or had a quote where none can be has a cell `?` behind that. It is refused again until somebody has mended it and has added the one, as a spreadsheet does by itself, or taken the other away.',
  run: async (context, args) => {
    const id = parseId(args.id, 'ID');
    const paging = parsePaging(args);
    const failures = args.failures || undefined;
    let job: BulkJobInfo | undefined;
    const list = await withAdmin(context, (admin) =>
      listPages(paging, async (page) => {
        const answer = await admin.call('bulk.report', given({ id, failures, ...page }));
        job = answer.job;
        return answer;
      }),
    );
    return {
      document: { job, items: list.items, next: list.next },
      text: (screen) => (args.csv ? rowCsv(job!.kind, list.items) : rowTable(job!.kind, list.items, screen)),
      notes: [...moreNote(list), ...(args.csv ? [] : [countWords(job!)])],
    };
  },
});
