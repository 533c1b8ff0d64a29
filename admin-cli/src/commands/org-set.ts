import { defineCommand } from '../command.js';
import { parseName } from '../parse.js';
import { withAdmin } from '../session.js';

export const orgSet = defineCommand({
  usage: 'set',
  describe: 'Rename the organisation; for owners',
  options: { name: { type: 'string', demandOption: true, describe: 'the new name' } },
  examples: [['berth org set --name "Studio North"', 'a new name']],
  more: 'If somebody else renames it between the look and the change, nothing is changed and the command says what it is called now (CHANGED_MEANWHILE).',
  run: async (context, args) => {
    const name = parseName(args.name);
    const document = await withAdmin(context, async (admin) => {
      const { name: was } = await admin.call('organisation.show', {});
      return await admin.call('organisation.set', { key: context.sdk.newIdempotencyKey(), name, was });
    });
    const note = document.changed ? `The organisation is now called ${document.name}.` : 'Nothing changed.';
    return { document, text: '', notes: [note] };
  },
});
