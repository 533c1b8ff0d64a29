import { defineCommand } from '../command.js';
import { confirm } from '../confirm.js';
import type { Context } from '../context.js';
import type { Answer } from '../output.js';
import { withAdmin } from '../session.js';
import { restoreText } from './restore-show.js';

export const restoreAccept = defineCommand({
  usage: 'accept',
  describe: 'Answer for it that nothing of before a restore is in use any more: everything is granted again',
  options: {
    reason: {
      type: 'string',
      demandOption: true,
      describe: 'why it is certain; the journal keeps it with who said so',
    },
    'dry-run': { type: 'boolean', default: false, describe: 'say what it would end, and change nothing' },
  },
  examples: [
    [
      'berth restore accept --reason "every laptop is back and returned its borrows"',
      'show what it ends, and ask',
    ],
  ],
  more: 'A seat that somebody did borrow after the backup is then given out twice, and both tokens are signed proof of it.',
  run: async (context, args) => {
    if (args['dry-run']) return await wouldAccept(context);
    const document = await withAdmin(context, async (admin) => {
      const { restore } = await admin.call('restore.show', {});
      if (restore === null || restore.accepted !== null) return { changed: false, before: restore };
      if (!context.settings.json) context.stderr.write(`${restoreText(restore, context.nowMs())}\n`);
      await confirm(context, 'Is certainly none of these seats in use any more?');
      const { reason } = args;
      return await admin.call('restore.accept', { key: context.sdk.newIdempotencyKey(), reason });
    });
    const note = document.changed
      ? 'Accepted: everything is granted again.'
      : 'Nothing is kept back; nothing was changed.';
    return { document, text: '', notes: [note] };
  },
});

async function wouldAccept(context: Context): Promise<Answer> {
  const { restore } = await withAdmin(context, (admin) => admin.call('restore.show', {}));
  const isOver = restore === null || restore.accepted !== null;
  const does = isOver ? 'Nothing is kept back: it would do nothing.' : 'Would grant all of this again.';
  return {
    document: { dryRun: true, restore },
    text: isOver ? '' : restoreText(restore, context.nowMs()),
    notes: [`${does} Nothing was changed.`],
  };
}
