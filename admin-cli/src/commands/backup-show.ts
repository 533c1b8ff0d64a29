import type { ResultOf } from '@berth/protocol';
import { defineCommand } from '../command.js';
import { fields } from '../output.js';
import { withAdmin } from '../session.js';
import { momentWords, spanWords } from '../words.js';

export const backupShow = defineCommand({
  usage: 'show',
  describe: 'Show when the last backup was made, and whether the server makes them by itself',
  examples: [['berth backup show', 'the last one, and the timer']],
  run: async (context) => {
    const document = await withAdmin(context, (admin) => admin.call('backup.show', {}));
    return { document, text: backupText(document, context.nowMs()) };
  },
});

function backupText({ last, everyMs, failed }: ResultOf<'backup.show'>, nowMs: number): string {
  const made =
    last === null
      ? 'none is known'
      : `${momentWords(last.atMs, nowMs)}, by ${last.by ?? 'the server itself'}, up to record ${last.seq}`;
  return fields([
    ['last', made],
    ['by itself', everyMs === null ? 'never (backup.hours)' : `every ${spanWords(everyMs)}`],
    ...(failed === null ? [] : [['failed', failed] as [string, string]]),
  ]);
}
