import type { ResultOf } from '@berth/protocol';
import { defineCommand } from '../command.js';
import { fields } from '../output.js';
import { withAdmin } from '../session.js';
import { spanWords } from '../words.js';

export const clockShow = defineCommand({
  usage: 'show',
  describe: 'Show the clock of the server and whether it is trusted',
  examples: [['berth clock show', 'trusted, behind or ahead, and by how much']],
  run: async (context) => {
    const document = await withAdmin(context, (admin) => admin.call('clock.show', {}));
    return { document, text: clockText(document) };
  },
});

export function clockText({ clock }: ResultOf<'clock.show'>): string {
  const moment = (ms: number): string => new Date(ms).toISOString();
  return fields([
    ['clock', clock.state === 'trusted' ? 'trusted' : `${clock.state}, by ${spanWords(clock.offMs)}`],
    ['it says', moment(clock.wallMs)],
    ['latest seen', moment(clock.highWaterMs)],
    ['things end by', moment(clock.steadyWallMs)],
  ]);
}

/** What an untrusted clock means for people. */
export function clockWarning({ clock }: ResultOf<'clock.show'>): string | null {
  const off = spanWords(clock.offMs);
  if (clock.state === 'behind')
    return `The clock of the server is ${off} behind what it has seen: nothing new is granted. Set it right, or, if it is right: berth clock accept`;
  if (clock.state === 'ahead')
    return `The clock of the server jumped ${off} ahead: no borrow and no entitlement ends by it. Set it right, or, if it is right: berth clock accept`;
  return null;
}
