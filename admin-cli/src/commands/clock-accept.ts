import type { ResultOf } from '@berth/protocol';
import { defineCommand } from '../command.js';
import { confirm } from '../confirm.js';
import type { Context } from '../context.js';
import type { Answer } from '../output.js';
import { withAdmin } from '../session.js';
import { spanWords } from '../words.js';
import { clockText } from './clock-show.js';

export const clockAccept = defineCommand({
  usage: 'accept',
  describe: 'Trust the clock of the server as it is now',
  options: {
    'dry-run': { type: 'boolean', default: false, describe: 'say what it would do, and change nothing' },
  },
  examples: [
    ['berth clock accept --dry-run', 'what would end at once'],
    ['berth clock accept', 'show what it would do, and ask'],
    ['berth clock accept --yes --json', 'without being asked, for a script'],
  ],
  more: 'Set the clock right first (NTP). Behind: granting begins again. Ahead: what is over by the clock ends. The journal keeps who did it, when, and both times.',
  run: async (context, args) => {
    if (args['dry-run']) return await wouldAccept(context);
    const document = await withAdmin(context, async (admin) => {
      const shown = await admin.call('clock.show', {});
      if (shown.clock.state === 'trusted') return { changed: false, before: shown.clock };
      if (!context.settings.json) context.stderr.write(`${clockText(shown)}\n`);
      await confirm(context, `${consequence(shown)} Is the clock right?`);
      return await admin.call('clock.accept', { key: context.sdk.newIdempotencyKey() });
    });
    const { changed, before } = document;
    const note = changed
      ? `Accepted: it was ${spanWords(before.offMs)} ${before.state}.`
      : 'The clock is trusted already; nothing was changed.';
    return { document, text: '', notes: [note] };
  },
});

async function wouldAccept(context: Context): Promise<Answer> {
  const shown = await withAdmin(context, (admin) => admin.call('clock.show', {}));
  const does =
    shown.clock.state === 'trusted'
      ? 'The clock is trusted already: it would do nothing.'
      : consequence(shown);
  return {
    document: { dryRun: true, ...shown },
    text: clockText(shown),
    notes: [`${does} Nothing was changed.`],
  };
}

function consequence({ clock, borrowsThatEnd, entitlementsThatEnd }: ResultOf<'clock.show'>): string {
  if (clock.state === 'behind') return 'Seats are granted again from now on.';
  return `At once ${borrowsThatEnd} borrows and ${entitlementsThatEnd} entitlements end that are over by this clock.`;
}
