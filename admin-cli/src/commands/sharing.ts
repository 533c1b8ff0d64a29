import type { AdminConnection } from '@berth/client';
import type { LeaseInfo, Pool, ResultOf, SharingChange } from '@berth/protocol';
import { defineCommand } from '../command.js';
import { confirm } from '../confirm.js';
import { dryRun, dryRunOption, verdict } from '../dry-run.js';
import { usage } from '../fail.js';
import { listPages, parsePaging } from '../pages.js';
import { given, optional, parseProduct } from '../parse.js';
import { withAdmin } from '../session.js';
import { momentWords, seatWords } from '../words.js';

export const sharing = defineCommand({
  usage: 'sharing <state>',
  describe: 'Let everybody use the seats that are allocated to nobody, or nobody',
  positionals: {
    state: {
      type: 'string',
      choices: ['on', 'off'] as const,
      demandOption: true,
      describe: 'floating sharing: on or off',
    },
  },
  options: {
    product: { type: 'string', describe: 'only this product; every product there is when left out' },
    drain: { type: 'boolean', describe: 'off: shared seats in use go on until they are released (default)' },
    cut: { type: 'boolean', describe: 'off: shared seats in use are taken back now' },
    ...dryRunOption,
  },
  examples: [
    ['berth sharing off --product render', 'from now on only allocated seats; who works goes on'],
    ['berth sharing off --product render --cut --yes', 'the same, and who works has to stop'],
    ['berth sharing off --cut --dry-run', 'whose seats would end, and whose go on'],
    ['berth sharing on', 'every product, for everybody'],
  ],
  more: 'While it is off, a seat can be used only by whoever it is allocated to: `berth license assign`. Borrowed seats are never taken back, and not lent for longer. A product that comes later begins with sharing on. If somebody else switches it between the look and the change, nothing is changed and the command says what it is now (CHANGED_MEANWHILE).',
  run: async (context, args) => {
    const on = args.state === 'on';
    const product = optional(args.product, (text) => parseProduct(text, '--product'));
    const running = runningOf(on, args);
    if (args['dry-run'])
      return await dryRun(
        context,
        `switch sharing of ${product ?? 'every product'} ${args.state}`,
        on ? async () => [] : { product, fate: (lease) => fateOf(lease, running) },
        (admin) => verdict(context, admin, 'sharing.set.preview', given({ on, product, running }), wouldBe),
      );
    if (running === 'cut')
      await confirm(
        context,
        `Take the shared seats of ${product ?? 'every product'} away from whoever uses them?`,
      );
    const key = context.sdk.newIdempotencyKey();
    const document = await withAdmin(context, async (admin) => {
      const was = await seen(admin, product);
      return await admin.call('sharing.set', given({ key, on, product, running, was }));
    });
    const { products } = document;
    const notes =
      products.length === 0
        ? ['There is no product yet.']
        : products.map((each) => `${sentence(each)}${beforeWords(each, context.nowMs())}`);
    return { document, text: '', notes };
  },
});

/** How it is now: whoever switches it between this look and the change is not undone unseen. */
async function seen(
  admin: AdminConnection,
  product: string | undefined,
): Promise<{ product: string; floatingSharing: boolean }[]> {
  const all = parsePaging({ limit: undefined, cursor: undefined });
  const { items } = await listPages<Pool>(all, async ({ cursor }) => {
    const { pools, next } = await admin.call('pool.status', given({ product, cursor }));
    return { items: pools, next };
  });
  return items.map(({ product: of, floatingSharing }) => ({ product: of, floatingSharing }));
}

/** Whoever comes a moment after another admin undoes what that one did: they are told. */
function beforeWords({ before, floatingSharing }: SharingChange, nowMs: number): string {
  if (before === undefined) return '';
  return ` Before: ${floatingSharing ? 'off' : 'on'}, switched ${momentWords(before.atMs, nowMs)} by ${before.by}.`;
}

function runningOf(
  on: boolean,
  { drain, cut }: { readonly drain: boolean | undefined; readonly cut: boolean | undefined },
): 'drain' | 'cut' | undefined {
  if (drain === true && cut === true)
    throw usage('--drain and --cut exclude each other.', 'Give one of them.');
  if (on && (drain === true || cut === true))
    throw usage('--drain and --cut go with off only.', 'Leave them out: berth sharing on');
  if (on) return undefined;
  return cut === true ? 'cut' : 'drain';
}

function sentence({ product, floatingSharing, changed, leasesRevoked, seatsRunning }: SharingChange): string {
  const state = `Floating sharing of ${product} is ${changed ? 'now' : 'still'} ${floatingSharing ? 'on' : 'off'}.`;
  if (leasesRevoked > 0)
    return `${state} Revoked ${leasesRevoked} ${leasesRevoked === 1 ? 'lease' : 'leases'}.`;
  return seatsRunning > 0 ? `${state} ${seatWords(seatsRunning)} in use until released.` : state;
}

/** What would become of a lease of shared seats; the server decides by the same facts. */
function fateOf({ kind, state }: LeaseInfo, running: 'drain' | 'cut' | undefined): string {
  if (kind === 'borrow') return 'go on until it is returned';
  if (state === 'lingering') return 'end';
  if (state === 'held') return 'be free then';
  return running === 'cut' ? 'end' : 'go on until it is released';
}

/** What it would do to each product, for people. */
function wouldBe({ products }: ResultOf<'sharing.set.preview'>): string[] {
  return products.map(({ product, floatingSharing, changed, leasesRevoked, seatsRunning }) => {
    const state = `Floating sharing of ${product} would ${changed ? 'be' : 'stay'} ${floatingSharing ? 'on' : 'off'}.`;
    if (leasesRevoked > 0)
      return `${state} ${leasesRevoked === 1 ? '1 lease' : `${leasesRevoked} leases`} of shared seats would end.`;
    return seatsRunning > 0 ? `${state} ${seatWords(seatsRunning)} in use until released.` : state;
  });
}
