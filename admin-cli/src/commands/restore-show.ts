import type { RestoreInfo } from '@berth/protocol';
import { defineCommand } from '../command.js';
import { fields } from '../output.js';
import { withAdmin } from '../session.js';
import { momentWords, seatWords, untilWords } from '../words.js';

export const restoreShow = defineCommand({
  usage: 'show',
  describe: 'Show whether the server was restored or rolled back, and what it keeps back because of that',
  examples: [['berth restore show', 'until when which seats are not granted']],
  run: async (context) => {
    const document = await withAdmin(context, (admin) => admin.call('restore.show', {}));
    const { restore } = document;
    const text = restore === null ? 'It was never restored.' : restoreText(restore, context.nowMs());
    return { document, text };
  },
});

const causes = {
  restored: 'restored from a backup',
  rolledBack: 'its data folder was put back to an earlier state',
} as const;

export function restoreText(restore: RestoreInfo, nowMs: number): string {
  const { cause, atMs, backupAtMs, holding, holdingUntilMs, kept, unseen, missing = [], accepted } = restore;
  const rows: [string, string][] = [
    ['what', `${causes[cause]}, ${momentWords(atMs, nowMs)}`],
    ...(backupAtMs === null ? [] : [['backup of', momentWords(backupAtMs, nowMs)] as [string, string]]),
  ];
  if (accepted !== null)
    return fields([
      ...rows,
      ['accepted', `${momentWords(accepted.atMs, nowMs)}, by ${accepted.by}: ${accepted.reason}`],
    ]);
  const until = holdingUntilMs === null ? '' : `, until ${untilWords(holdingUntilMs, nowMs)}`;
  if (holding) rows.push(['granted', `nothing new${until}`]);
  for (const { product, seats, untilMs } of kept)
    rows.push(['kept back', `${seatWords(seats)} of ${product}, until ${untilWords(untilMs, nowMs)}`]);
  if (unseen > 0)
    rows.push(['not seen yet', `${unseen === 1 ? '1 borrow' : `${unseen} borrows`} that the backup knew`]);
  for (const { entitlement, product } of missing)
    rows.push([
      'missing',
      `${entitlement}, imported after the backup: nothing of ${product} until it is imported again`,
    ]);
  if (!holding && kept.length === 0 && missing.length === 0) rows.push(['granted', 'everything, as before']);
  return fields(rows);
}

/** What it means for people; `null`: nothing. */
export function restoreWarning({ restore }: { restore: RestoreInfo | null }): string | null {
  if (restore === null || restore.accepted !== null) return null;
  const { cause, holding, kept, missing = [] } = restore;
  if (cause === 'rolledBack')
    return 'The data folder of the server was put back to an earlier state: what was done since is lost, and seats that may be in use are kept back. See: berth restore show';
  const [first] = missing;
  if (first !== undefined)
    return `The server was restored from a backup that does not have ${first.entitlement}: nothing of ${first.product} is granted until it is imported again. See: berth restore show`;
  if (!holding && kept.length === 0) return null;
  return 'The server was restored from a backup: seats that may be in use since before are kept back. See: berth restore show';
}
