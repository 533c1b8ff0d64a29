import { defineCommand } from '../command.js';
import { confirm } from '../confirm.js';
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
  },
  examples: [
    [
      'berth restore accept --reason "every laptop is back and returned its borrows"',
      'show what it ends, and ask',
    ],
  ],
  more: 'A seat that somebody did borrow after the backup is then given out twice, and both tokens are signed proof of it.',
  run: async (context, args) => {
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
