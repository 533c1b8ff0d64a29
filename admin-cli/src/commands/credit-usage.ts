import { formatDay, type ResultOf } from '@berth/protocol';
import { defineCommand } from '../command.js';
import { usage } from '../fail.js';
import { table } from '../output.js';
import { listPages, moreNote, pageOptions, parsePaging } from '../pages.js';
import { given, optional, parseDay, parseUser } from '../parse.js';
import { withAdmin } from '../session.js';

type Usage = ResultOf<'credit.usage'>;

export const creditUsage = defineCommand({
  usage: 'usage [email]',
  describe: 'Show the credits that users spent, by user and period',
  positionals: { email: { type: 'string', describe: 'only this user: e-mail address, or a login name' } },
  options: {
    from: { type: 'string', describe: 'first day, YYYY-MM-DD (default: the first of this month)' },
    until: { type: 'string', describe: 'last day, YYYY-MM-DD (default: today)' },
    by: { type: 'string', choices: ['day', 'month', 'year'], describe: 'a row for each of these' },
    ...pageOptions,
  },
  examples: [
    ['berth credit usage', 'this month, a row for each user'],
    ['berth credit usage --from 2026-01-01 --by month', 'this year, by month'],
    ['berth credit usage anna@studio.example --by day --json', 'Anna, day by day, for a script'],
  ],
  more: 'Days are UTC. Who was removed since is listed too.',
  run: async (context, args) => {
    const paging = parsePaging(args);
    const filter = given({
      email: optional(args.email, parseUser),
      from: optional(args.from, (text) => parseDay(text, '--from')),
      until: optional(args.until, (text) => parseDay(text, '--until')),
      by: args.by as 'day' | 'month' | 'year' | undefined,
    });
    if (filter.from !== undefined && filter.until !== undefined && filter.from > filter.until)
      throw usage(`--from ${filter.from} is after --until ${filter.until}.`, 'Give the earlier day first.');
    const today = formatDay(context.nowMs());
    if (filter.until === undefined && filter.from !== undefined && filter.from > today)
      throw usage(`--from ${filter.from} has not come yet: today is ${today}.`, 'Give an earlier day.');
    const first = `${today.slice(0, 7)}-01`;
    if (filter.from === undefined && filter.until !== undefined && filter.until < first)
      throw usage(
        `--until ${filter.until} is before ${first}, with which it begins where --from is left out.`,
        'Give --from too.',
      );
    let sums: Omit<Usage, 'items' | 'next'> | undefined;
    const list = await withAdmin(context, (admin) =>
      listPages(paging, async (page) => {
        const { items, next, ...rest } = await admin.call('credit.usage', { ...page, ...filter });
        sums = rest;
        return { items, next };
      }),
    );
    const { from, until, credits } = sums!;
    return {
      document: { from, until, credits, ...list },
      text: (screen) =>
        table(
          list.items,
          [
            { title: 'EMAIL', cell: (row) => row.email },
            ...(filter.by === undefined
              ? []
              : [{ title: 'PERIOD', cell: (row: Usage['items'][number]) => row.period ?? '' }]),
            { title: 'CREDITS', cell: (row) => row.credits },
            { title: 'MEMBER', cell: (row) => (row.member ? 'yes' : 'removed') },
          ],
          screen,
        ),
      notes: [`${credits} credits from ${from} to ${until}.`, ...moreNote(list, null)],
    };
  },
});
