import { parseToken } from '@berth/protocol';
import { defineCommand } from '../command.js';
import { writeText } from '../files.js';
import { withAdmin } from '../session.js';

export const auditCheckpoint = defineCommand({
  usage: 'checkpoint',
  describe: 'Have the server sign where its journal stands now',
  options: {
    out: { type: 'string', describe: 'file to write it to, which must not exist; stdout when left out' },
  },
  examples: [
    ['berth audit checkpoint --out 2026-03.checkpoint', 'and give it to somebody who keeps it'],
    [
      'berth audit verify audit.jsonl --checkpoint 2026-03.checkpoint',
      'later: nothing up to there was changed or cut off',
    ],
  ],
  more: 'The server signs one by itself at every start and every hour, into its journal. One that lies elsewhere shows it when the journal was shortened or replaced.',
  run: async (context, args) => {
    const { checkpoint } = await withAdmin(context, (admin) =>
      admin.call('audit.checkpoint', { key: context.sdk.newIdempotencyKey() }),
    );
    if (args.out !== undefined) await writeText(context, args.out, `${checkpoint}\n`, { exclusive: true });
    const parsed = parseToken('checkpoint', checkpoint);
    const claims = parsed.ok ? parsed.token.claims : null;
    const note = claims === null ? [] : [`Signed up to record ${claims.seq}.`];
    return {
      document: { checkpoint, ...claims },
      text: args.out === undefined ? checkpoint : '',
      notes: note,
    };
  },
});
