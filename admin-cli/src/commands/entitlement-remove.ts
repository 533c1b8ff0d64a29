import { defineCommand } from '../command.js';
import { confirm } from '../confirm.js';
import { parseId } from '../parse.js';
import { pendingOptions, removalNote, whenOf } from '../pending.js';
import { withAdmin } from '../session.js';

export const entitlementRemove = defineCommand({
  usage: 'remove <id>',
  describe: 'Remove an entitlement; the leases on its seats end',
  positionals: { id: { type: 'string', demandOption: true, describe: 'id as in `berth entitlement list`' } },
  options: pendingOptions,
  examples: [
    ['berth entitlement remove ent-7k2m --yes', 'remove it without being asked'],
    ['berth entitlement remove ent-7k2m --pending --yes', 'and if a seat is borrowed: as soon as it is back'],
  ],
  more: 'Refused while a seat of it is allocated or borrowed. With --pending a removal that only a borrow forbids waits for its end by itself; until then nothing new is granted from it.',
  run: async (context, args) => {
    const id = parseId(args.id, 'ID');
    const when = whenOf(args);
    if (!args.cancel) await confirm(context, `Remove entitlement ${id}? Whoever uses its seats loses them.`);
    const document = await withAdmin(context, (admin) =>
      admin.call('entitlement.remove', { key: context.sdk.newIdempotencyKey(), id, ...when }),
    );
    return {
      document,
      text: '',
      notes: [removalNote(`entitlement ${document.id}`, document, args, context.nowMs())],
    };
  },
});
