import { defineCommand } from '../command.js';
import { confirm } from '../confirm.js';
import type { Context } from '../context.js';
import { dryRunOption } from '../dry-run.js';
import type { Answer } from '../output.js';
import { parseName } from '../parse.js';
import { withAdmin } from '../session.js';
import { seatWords } from '../words.js';

export const machineRemove = defineCommand({
  usage: 'remove <machine>',
  describe: 'Remove a machine; the seats it has are taken back',
  positionals: {
    machine: { type: 'string', demandOption: true, describe: 'its name or id as in `berth machine list`' },
  },
  options: dryRunOption,
  examples: [
    ['berth machine remove node-17 --dry-run', 'what is in use there, and whether it would be refused'],
    ['berth machine remove node-17', 'it must join again with a link that is still good'],
  ],
  more: 'Refused while the machine has a borrowed seat.',
  run: async (context, args) => {
    const machine = parseName(args.machine);
    if (args['dry-run']) return await wouldRemove(context, machine);
    await confirm(context, `Remove machine ${machine} and take back the seats it has?`);
    const key = context.sdk.newIdempotencyKey();
    const document = await withAdmin(context, (admin) => admin.call('machine.remove', { key, machine }));
    return { document, text: '', notes: [`Removed machine ${document.machine.name}.`] };
  },
});

async function wouldRemove(context: Context, called: string): Promise<Answer> {
  const { machine, leasesRevoked } = await withAdmin(context, (admin) =>
    admin.call('machine.remove.preview', { machine: called }),
  );
  const leases = leasesRevoked === 1 ? '1 lease' : `${leasesRevoked} leases`;
  return {
    document: { dryRun: true, machine, leasesRevoked },
    text: '',
    notes: [
      `Would remove machine ${machine.name} (${machine.id}) and take back ${seatWords(machine.seats)}: ${leases} would end. Nothing was changed.`,
    ],
  };
}
