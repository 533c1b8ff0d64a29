import type { MailInfo } from '@berth/protocol';
import { defineCommand } from '../command.js';
import { type List, table } from '../output.js';
import { listPages, moreNote, pageOptions, parsePaging } from '../pages.js';
import { given, optional, parseEmail } from '../parse.js';
import { withAdmin } from '../session.js';
import { momentCell } from '../words.js';

const states: readonly MailInfo['state'][] = [
  'gathering',
  'queued',
  'sending',
  'sent',
  'failed',
  'cancelled',
];

/** What fits a screen or two: a bulk job leaves tens of thousands. */
const usualRows = '50';

export const mailList = defineCommand({
  usage: 'list',
  describe: 'List the mails of the outbox, newest first: sent, waiting, failed',
  options: {
    state: { type: 'string', choices: states, describe: 'only this state' },
    to: { type: 'string', describe: 'only to this e-mail address' },
    ...pageOptions,
    limit: {
      type: 'string',
      describe: `at most so many rows (default: ${usualRows}, and all of them with --json)`,
    },
  },
  examples: [
    ['berth mail list', 'what was sent and what waits, the newest'],
    ['berth mail list --state failed', 'what the mail server would not take, and why'],
    ['berth mail list --to anna@studio.example --json', 'what Anna was told, for a script'],
  ],
  more: 'A mail is in the outbox from the same moment as what it tells, and stays readable there for 30 days after it was sent. Where no mail server is configured (`mail.smtp` of berthd) it waits, for 90 days at most.',
  run: async (context, args) => {
    const { limit = context.settings.json ? undefined : usualRows, cursor } = args;
    const paging = parsePaging({ limit, cursor });
    const filter = given({
      state: args.state as MailInfo['state'] | undefined,
      email: optional(args.to, parseEmail),
    });
    let configured = true;
    const list = await withAdmin(context, (admin) =>
      listPages(paging, async (page) => {
        const answer = await admin.call('mail.list', { ...page, ...filter });
        configured = answer.configured;
        return answer;
      }),
    );
    return {
      document: { ...list, configured },
      text: (screen) =>
        table(
          list.items,
          [
            { title: 'ID', cell: (row) => row.id },
            { title: 'TO', weight: 'id', cell: (row) => row.to },
            {
              title: 'STATE',
              weight: 'high',
              cell: (row) => (row.unsure === true ? `${row.state}, unsure` : row.state),
            },
            { title: 'MADE', weight: 'low', cell: (row) => momentCell(row.madeAtMs) },
            { title: 'TRIES', weight: 'low', cell: (row) => row.attempts },
            { title: 'SUBJECT', weight: 'high', cell: (row) => row.subject },
            {
              title: 'ERROR',
              weight: 'high',
              cell: (row) => (row.state === 'sent' ? '' : (row.error ?? '')),
            },
          ],
          screen,
        ),
      notes: [...(args.limit === limit ? moreNote(list) : usualNote(list)), ...(configured ? [] : [offNote])],
    };
  },
});

/** Said when there is more than is shown, and nobody said how much to show. */
function usualNote(list: List<MailInfo>): string[] {
  if (list.next === null) return moreNote(list);
  return [
    `${list.items.length} mails are shown. More at once: --limit N; only some: --state, --to; those that follow: --cursor ${list.next}`,
  ];
}

/** Said wherever somebody may wonder why nothing arrives. */
export const offNote =
  'No mail server is configured: nothing is sent. Read a mail with `berth mail show ID`; IT sets mail.smtp.';
