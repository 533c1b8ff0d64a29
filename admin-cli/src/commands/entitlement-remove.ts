import type { ResultOf } from '@berth/protocol';
import { defineCommand } from '../command.js';
import { asks, confirm } from '../confirm.js';
import type { Context } from '../context.js';
import { dryRun, dryRunOption, verdict } from '../dry-run.js';
import type { Answer } from '../output.js';
import { listPages } from '../pages.js';
import { parseId } from '../parse.js';
import { pendingOptions, removalNote, whenOf, wouldStayNote } from '../pending.js';
import { withAdmin } from '../session.js';
import { seatWords } from '../words.js';

export const entitlementRemove = defineCommand({
  usage: 'remove <id>',
  describe: 'Remove an entitlement; the leases on its seats end',
  positionals: { id: { type: 'string', demandOption: true, describe: 'id as in `berth entitlement list`' } },
  options: { ...pendingOptions, ...dryRunOption },
  examples: [
    ['berth entitlement remove ent-7k2m --dry-run', 'who uses it now, and whom it is set aside for'],
    ['berth entitlement remove ent-7k2m --yes', 'remove it without being asked'],
    ['berth entitlement remove ent-7k2m --pending --yes', 'and if a seat is borrowed: as soon as it is back'],
  ],
  more: 'Refused while a seat of it is allocated or borrowed. With --pending a removal that only a borrow forbids waits for its end by itself; until then nothing new is granted from it.',
  exits: [[8, 'a seat of it is allocated or borrowed']],
  run: async (context, args) => {
    const id = parseId(args.id, 'ID');
    const when = whenOf(args);
    if (args['dry-run'] && args.cancel) return await wouldStay(context, id);
    if (args['dry-run'])
      return await dryRun(
        context,
        `remove entitlement ${id}`,
        async (admin) => {
          const { entitlement } = await admin.call('entitlement.show', { id });
          return { product: entitlement.product, entitlement: id };
        },
        (admin) => verdict(context, admin, 'entitlement.remove.preview', { id, ...when }),
      );
    if (!args.cancel) await confirm(context, `${await whatItTakes(context, id)} Remove entitlement ${id}?`);
    const document = await withAdmin(context, (admin) =>
      admin.call('entitlement.remove', { key: context.sdk.newIdempotencyKey(), id, ...when }),
    );
    return {
      document,
      text: '',
      notes: [
        removalNote(`entitlement ${document.id}`, document, args, context.nowMs()),
        ...seatsNote(document),
      ],
    };
  },
});

async function wouldStay(context: Context, id: string): Promise<Answer> {
  const document = await withAdmin(context, (admin) =>
    admin.call('entitlement.remove.preview', { id, cancel: true }),
  );
  const note = `${wouldStayNote(`entitlement ${id}`, document)} Nothing was changed.`;
  return { document: { dryRun: true, ...document }, text: '', notes: [note] };
}

/** What would be lost, for whoever is asked. A script is not asked, and needs no answer. */
async function whatItTakes(context: Context, id: string): Promise<string> {
  if (!asks(context)) return '';
  return withAdmin(context, async (admin) => {
    const { entitlement } = await admin.call('entitlement.show', { id });
    const { product, seats, until, allocated } = entitlement;
    const leases = await listPages({ rows: 1000, cursor: null }, (page) =>
      admin.call('lease.list', { ...page, product }),
    );
    const users = [...new Set(leases.items.filter((row) => row.entitlement === id).map(({ user }) => user))];
    const use =
      users.length === 0
        ? 'nobody uses them now'
        : `used now by ${users.slice(0, 10).join(', ')}${users.length > 10 ? ' and others' : ''}`;
    return `It grants ${seatWords(seats)} of ${product} until ${until}: ${allocated} allocated, ${use}. Seats in use go to other entitlements of the product where these have room; the others are lost.`;
  });
}

function seatsNote({ leasesRevoked, moved }: ResultOf<'entitlement.remove'>): string[] {
  if (leasesRevoked === undefined || moved === undefined || leasesRevoked + moved === 0) return [];
  return [
    `${seatWords(moved)} in use went to other entitlements; ${leasesRevoked} ${leasesRevoked === 1 ? 'lease was' : 'leases were'} revoked.`,
  ];
}
