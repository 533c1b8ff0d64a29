import { defineCommand } from '../command.js';
import { confirm } from '../confirm.js';
import { parseId } from '../parse.js';
import { withAdmin } from '../session.js';

export const machineTokenRevoke = defineCommand({
  usage: 'revoke <id>',
  describe: 'End a machine token; machines that have joined with it stay',
  positionals: {
    id: { type: 'string', demandOption: true, describe: 'id as in `berth machine token list`' },
  },
  examples: [['berth machine token revoke m-7k2m', 'nobody joins with its link any more']],
  more: 'To remove a machine, see `berth machine remove`.',
  run: async (context, args) => {
    const id = parseId(args.id, 'ID');
    await confirm(context, `End machine token ${id}?`);
    const key = context.sdk.newIdempotencyKey();
    const document = await withAdmin(context, (admin) => admin.call('machine.token.revoke', { key, id }));
    return { document, text: '', notes: [`Revoked machine token ${id}.`] };
  },
});
