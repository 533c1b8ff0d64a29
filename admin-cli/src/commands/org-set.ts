import { defineCommand } from '../command.js';
import { beforeNote } from '../last-change.js';
import { parseName, quote } from '../parse.js';
import { withAdmin } from '../session.js';

export const orgSet = defineCommand({
  usage: 'set',
  describe: 'Rename the organisation; for owners',
  options: { name: { type: 'string', demandOption: true, describe: 'the new name' } },
  examples: [['berth org set --name "Studio North"', 'a new name']],
  more: 'If somebody else renames it between the look and the change, nothing is changed and the command says what it is called now (CHANGED_MEANWHILE).',
  run: async (context, args) => {
    const name = parseName(args.name);
    const { document, before } = await withAdmin(context, async (admin) => {
      const { name: was } = await admin.call('organisation.show', {});
      const before = await beforeNote(context, admin, quote(was), { kind: 'organisation.renamed' });
      const key = context.sdk.newIdempotencyKey();
      return { before, document: await admin.call('organisation.set', { key, name, was }) };
    });
    const notes = document.changed
      ? [`The organisation is now called ${document.name}.`, before]
      : ['Nothing changed.'];
    return { document, text: '', notes };
  },
});
