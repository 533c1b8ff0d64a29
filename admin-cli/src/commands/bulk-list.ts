import type { BulkJobInfo } from '@berth/protocol';
import { defineCommand } from '../command.js';
import { table } from '../output.js';
import { listPages, moreNote, pageOptions, parsePaging } from '../pages.js';
import { withAdmin } from '../session.js';
import { momentCell, spanWords } from '../words.js';

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
            { title: 'BY', weight: 'low', cell: (row) => row.by },
            { title: 'MADE', cell: (row) => momentCell(row.madeAtMs) },
            { title: 'STATE', weight: 'high', cell: (row) => stateCell(row, context.nowMs()) },
            { title: 'ROWS', cell: (row) => row.rows },
            { title: 'DONE', weight: 'high', cell: (row) => row.done },
            { title: 'UNCHANGED', weight: 'high', cell: (row) => row.unchanged },
            { title: 'FAILED', weight: 'high', cell: (row) => row.failed },
            ...(list.items.some(({ waits = 0 }) => waits > 0)
              ? [{ title: 'WAITS', weight: 'high' as const, cell: (row: BulkJobInfo) => row.waits ?? 0 }]
              : []),
          ],
          screen,
        ),
      notes: moreNote(list),
    };
  },
});

/** How far it is, or how long it took. */
function stateCell(
  { madeAtMs, endedAtMs, rows, done, unchanged, failed }: BulkJobInfo,
  nowMs: number,
): string {
  if (endedAtMs !== undefined) return `done in ${spanWords(endedAtMs - madeAtMs)}`;
  const decided = done + unchanged + failed;
  return `running for ${spanWords(nowMs - madeAtMs)}, ${Math.floor((decided / Math.max(1, rows)) * 100)} %`;
}
