import { defineCommand } from '../command.js';
import { confirm } from '../confirm.js';
import { parseId } from '../parse.js';
import { withAdmin } from '../session.js';

export const entitlementRemove = defineCommand({
  usage: 'remove <id>',
  describe: 'Remove an entitlement; the leases on its seats end',
  positionals: { id: { type: 'string', demandOption: true, describe: 'id as in `berth entitlement list`' } },
  examples: [['berth entitlement remove ent-7k2m --yes', 'remove it without being asked']],
  more: 'Refused while a seat of it is allocated or borrowed.',
  run: async (context, args) => {
    const id = parseId(args.id, 'ID');
    await confirm(context, `Remove entitlement ${id}? Whoever uses its seats loses them.`);
    const document = await withAdmin(context, (admin) =>
      admin.call('entitlement.remove', { key: context.sdk.newIdempotencyKey(), id }),
    );
    return { document, text: '', notes: [`Removed ${document.id}.`] };
  },
});
