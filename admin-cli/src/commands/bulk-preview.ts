import type { BulkKind, ResultOf } from '@berth/protocol';
import { bulkOptions, countWords, kindPositional, readBulk, rowCsv, rowTable, sendTable } from '../bulk.js';
import { defineCommand } from '../command.js';
import { writeText } from '../files.js';
import { listPages, parsePaging } from '../pages.js';
import { withAdmin } from '../session.js';

export const bulkPreview = defineCommand({
  usage: 'preview <kind>',
  describe: 'Say what would become of each row of a table, and change nothing',
  positionals: kindPositional,
  options: {
    ...bulkOptions,
    out: { type: 'string', describe: 'write the rows with their verdicts to this file, to edit and apply' },
  },
  examples: [
    ['berth bulk preview invite --csv people.csv', 'which rows are wrong, and why'],
    ['berth bulk preview assign --csv people.csv --products render,comp --out seats.csv', 'a file to edit'],
    ['berth bulk apply assign --csv seats.csv', 'and then to apply'],
  ],
  more: 'Rows are judged by the server, one after the other, each as if those before it had been applied. The columns verdict, code and reason of the file are not read again.',
  run: async (context, args) => {
    const kind = args.kind as BulkKind;
    const { asked, rows } = await readBulk(context, kind, args);
    let counts:
      | Pick<ResultOf<'bulk.preview'>, 'rows' | 'done' | 'unchanged' | 'failed' | 'ignored'>
      | undefined;
    const list = await withAdmin(context, async (admin) => {
      await sendTable(context, admin, asked.upload, rows);
      context.progress.say('judging rows');
      return await listPages(parsePaging({ limit: undefined, cursor: undefined }), async (page) => {
        const answer = await admin.call('bulk.preview', { ...asked, ...page });
        counts = answer;
        return answer;
      });
    });
    const { ignored, ...numbers } = counts!;
    const sums = {
      rows: numbers.rows,
      done: numbers.done,
      unchanged: numbers.unchanged,
      failed: numbers.failed,
    };
    if (args.out !== undefined) await writeText(context, args.out, rowCsv(kind, list.items));
    return {
      document: { ...list, ...sums, ignored },
      text: (screen) => (args.out === undefined ? rowTable(list.items, screen) : ''),
      notes: [
        ...(ignored.length === 0 ? [] : [`Columns that are not read: ${ignored.join(', ')}.`]),
        `Would be: ${countWords(sums)}. Nothing was changed.`,
      ],
    };
  },
});
