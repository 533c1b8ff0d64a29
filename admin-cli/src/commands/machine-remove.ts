import { defineCommand } from '../command.js';
import { confirm } from '../confirm.js';
import { parseName } from '../parse.js';
import { withAdmin } from '../session.js';

export const machineRemove = defineCommand({
  usage: 'remove <machine>',
  describe: 'Remove a machine; the seats it has are taken back',
  positionals: {
    machine: { type: 'string', demandOption: true, describe: 'its name or id as in `berth machine list`' },
  },
  examples: [['berth machine remove node-17', 'it must join again with a link that is still good']],
  more: 'Refused while the machine has a borrowed seat.',
  run: async (context, args) => {
    const machine = parseName(args.machine);
    await confirm(context, `Remove machine ${machine} and take back the seats it has?`);
    const key = context.sdk.newIdempotencyKey();
    const document = await withAdmin(context, (admin) => admin.call('machine.remove', { key, machine }));
    return { document, text: '', notes: [`Removed machine ${document.machine.name}.`] };
  },
});
