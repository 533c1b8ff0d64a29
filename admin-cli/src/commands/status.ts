import type { EntitlementInfo, Pool, ResultOf } from '@berth/protocol';
import { defineCommand } from '../command.js';
import type { Context } from '../context.js';
import { type List, table } from '../output.js';
import { listPages, parsePaging } from '../pages.js';
import { parseProduct } from '../parse.js';
import { withEither } from '../session.js';
import { daysLeftWords, seatWords } from '../words.js';
import { clockWarning } from './clock-show.js';
import { restoreWarning } from './restore-show.js';

export const status = defineCommand({
  usage: 'status',
  describe: 'Show the seats of every product: who may use them and where they are',
  options: { product: { type: 'string', describe: 'only this product' } },
  examples: [
    ['berth status', 'all products'],
    ['berth status --product render --json', 'one, for a script: { pools: [ … ] }'],
  ],
  more: 'owned = allocated + shared; in use + borrowed + held + free = owned + over. Held: the right ended early, but its token may still be valid.',
  run: async (context, args) => {
    const product = args.product === undefined ? undefined : parseProduct(args.product, '--product');
    const { list, warnings, ends } = await poolsOf(context, product);
    const { items: pools } = list;
    const none =
      pools.length === 0
        ? ['No product yet: an admin imports one with `berth entitlement import FILE`.']
        : [];
    return {
      document: { pools },
      text: (screen) => (pools.length === 0 ? '' : poolTable(pools, screen)),
      notes: [...none, ...warnings, ...endNotes(ends)],
    };
  },
});

/** An admin need not hold a lease key session for this, and a plain user has no admin key. */
async function poolsOf(
  context: Context,
  product: string | undefined,
): Promise<{ list: List<Pool>; warnings: readonly string[]; ends: readonly EntitlementInfo[] }> {
  const filter = product === undefined ? {} : { product };
  type Ask = (cursor: { cursor?: string }) => Promise<{ pools: Pool[]; next: string | null }>;
  const follow = (ask: Ask) =>
    listPages<Pool>(parsePaging({ limit: undefined, cursor: undefined }), async ({ cursor }) => {
      const page = await ask(cursor === undefined ? {} : { cursor });
      return { items: page.pools.map(exactly), next: page.next };
    });
  return await withEither(
    context,
    async (admin) => ({
      list: await follow((at) => admin.call('pool.status', { ...filter, ...at })),
      // An older server does not know it; that is no reason not to show the pools.
      warnings: [
        await admin.call('clock.show', {}).then(clockWarning, () => null),
        await admin.call('restore.show', {}).then(restoreWarning, () => null),
        await admin.call('mail.list', { limit: 1 }).then(mailWarning, () => null),
      ].filter((warning) => warning !== null),
      // Nor one that is not for whoever asks.
      ends: await admin.call('entitlement.list', { ...filter, ending: true }).then(
        ({ items }) => items,
        () => [],
      ),
    }),
    async (lease) => ({
      list: await follow((at) => lease.call('pool.status', { ...filter, ...at })),
      warnings: [],
      ends: [],
    }),
  );
}

/** Whoever was invited and has no link does not know it; whoever invited them does not either. */
function mailWarning({ failed = 0, waiting = 0, fault }: ResultOf<'mail.list'>): string | null {
  const refused = `${failed === 1 ? '1 mail was' : `${failed} mails were`} refused or given up: berth mail list --state failed`;
  // Of a fault that nothing waits for any more, nobody has to hear.
  if (fault !== undefined && waiting > 0)
    return [
      `Mail waits, since the mail server cannot be used: ${fault}`,
      ...(failed > 0 ? [refused] : []),
    ].join(' ');
  return failed === 0 ? null : refused;
}

/** How many subscriptions `status` names; the rest is for `berth subscription list`. */
const endsNamed = 10;

/** What ends soon, the next one first: 60, 30, 7 and 1 days ahead (PRODUCT.md, subscriptions). */
function endNotes(ends: readonly EntitlementInfo[]): string[] {
  // An older server does not know the filter and lists everything.
  const due = ends.filter(({ notice }) => notice !== undefined).sort((a, b) => a.daysLeft - b.daysLeft);
  const notes = due.slice(0, endsNamed).map(({ display, id, product, seats, daysLeft, until }) => {
    const left = daysLeftWords(daysLeft);
    return `Subscription ${display.number ?? id} (${seatWords(seats)} of ${product}) ends soon: ${left}, the last one is ${until}.`;
  });
  const more = due.length - notes.length;
  return more > 0 ? [...notes, `${more} more end soon: berth subscription list --active`] : notes;
}

/** These names and no others are the contract of `berth status --json` (issue 2, part 10), whatever a newer server adds. */
function exactly(pool: Pool): Pool {
  const { product, vendor, owned, allocated, shared, floatingSharing, inUse, borrowed, held, free, over } =
    pool;
  return { product, vendor, owned, allocated, shared, floatingSharing, inUse, borrowed, held, free, over };
}

function poolTable(pools: readonly Pool[], screen: Context['stdout']): string {
  return table(
    pools,
    [
      { title: 'PRODUCT', cell: (pool) => pool.product },
      { title: 'OWNED', weight: 'high', cell: (pool) => pool.owned },
      { title: 'ALLOCATED', weight: 'high', cell: (pool) => pool.allocated },
      { title: 'SHARED', weight: 'high', cell: (pool) => pool.shared },
      { title: 'SHARING', weight: 'low', cell: (pool) => (pool.floatingSharing ? 'on' : 'off') },
      { title: 'IN USE', weight: 'high', cell: (pool) => pool.inUse },
      { title: 'BORROWED', weight: 'high', cell: (pool) => pool.borrowed },
      { title: 'HELD', weight: 'high', cell: (pool) => pool.held },
      { title: 'FREE', weight: 'high', cell: (pool) => pool.free },
      { title: 'OVER', weight: 'high', cell: (pool) => pool.over },
    ],
    screen,
  );
}
