import type { ResultOf } from '@berth/protocol';
import { defineCommand } from '../command.js';
import type { Output } from '../context.js';
import { creditWords } from '../credits.js';
import { fields, table } from '../output.js';
import { listPages, moreNote, pageOptions, parsePaging } from '../pages.js';
import { optional, parseUser } from '../parse.js';
import { withAdmin } from '../session.js';

type Balance = ResultOf<'credit.show'>;

export const creditShow = defineCommand({
  usage: 'show [email]',
  describe: 'Show the credits of the organisation, or what one user may spend',
  positionals: { email: { type: 'string', describe: 'only this user: e-mail address, or a login name' } },
  options: pageOptions,
  examples: [
    ['berth credit show', 'what is left, and of which subscription'],
    ['berth credit show anna@studio.example', 'what Anna may spend and has spent'],
  ],
  more: 'Credits come with subscriptions and end with them. What is personal is its holder’s alone, and not counted to the organisation.',
  run: async (context, args) => {
    const paging = parsePaging(args);
    const email = optional(args.email, parseUser);
    if (email !== undefined) {
      const { user, credits } = await withAdmin(context, (admin) => admin.call('user.show', { email }));
      const said = credits === undefined ? 'this server is too old to say' : creditWords(credits);
      return { document: { email: user.email, credits: credits ?? null }, text: `${user.email}: ${said}` };
    }
    let balance: Omit<Balance, 'items' | 'next'> | undefined;
    const list = await withAdmin(context, (admin) =>
      listPages(paging, async (page) => {
        const { items, next, ...sums } = await admin.call('credit.show', page);
        balance = sums;
        return { items, next };
      }),
    );
    const document = { ...balance!, ...list };
    return { document, text: (screen) => describe(document, screen), notes: notesOf(document) };
  },
});

type Shown = Pick<Balance, 'bought' | 'spent' | 'left' | 'waiting'> & {
  readonly items: readonly Balance['items'][number][];
  readonly next: string | null;
};

function describe({ bought, spent, left, items }: Shown, screen: Output): string {
  const sums = fields([
    ['bought', bought],
    ['spent', spent],
    ['left', left],
  ]);
  if (items.length === 0) return sums;
  const rows = table(
    items,
    [
      { title: 'SUBSCRIPTION', weight: 'id', cell: (row) => row.number ?? row.entitlement },
      { title: 'PRODUCT', cell: (row) => row.product },
      { title: 'OF', cell: (row) => row.holder ?? 'organisation' },
      { title: 'STATE', cell: (row) => row.state },
      { title: 'UNTIL', cell: (row) => row.until },
      { title: 'BOUGHT', cell: (row) => row.bought },
      { title: 'SPENT', cell: (row) => row.spent },
      { title: 'LEFT', cell: (row) => row.left },
    ],
    screen,
  );
  return `${sums}\n\n${rows}`;
}

function notesOf(shown: Shown): string[] {
  const { waiting, items } = shown;
  return [
    ...(items.length === 0 ? ['No subscription came with credits.'] : []),
    ...(waiting === 0
      ? []
      : [`${waiting === 1 ? '1 user waits' : `${waiting} users wait`} for an answer: berth credit requests`]),
    ...moreNote(shown),
  ];
}
