import type { EntitlementInfo } from '@berth/protocol';
import { defineCommand } from '../command.js';
import { fields } from '../output.js';
import { parseId } from '../parse.js';
import { pendingCell } from '../pending.js';
import { withAdmin } from '../session.js';
import { daysLeftWords, spanWords } from '../words.js';

export const entitlementShow = defineCommand({
  usage: 'show <id>',
  describe: 'Show one entitlement',
  positionals: { id: { type: 'string', demandOption: true, describe: 'id as in `berth entitlement list`' } },
  options: { token: { type: 'boolean', default: false, describe: 'print only the signed token' } },
  examples: [
    ['berth entitlement show ent-7k2m', 'what it says and what it is worth'],
    ['berth entitlement show ent-7k2m --token > render.ent', 'the file the vendor sent, again'],
  ],
  run: async (context, args) => {
    const id = parseId(args.id, 'ID');
    const shown = await withAdmin(context, (admin) => admin.call('entitlement.show', { id }));
    return {
      document: shown,
      text: args.token ? shown.token : describeEntitlement(shown.entitlement, context.nowMs()),
    };
  },
});

/** Everything about one, for people. */
export function describeEntitlement(entitlement: EntitlementInfo, nowMs: number): string {
  const { display, borrow, removing, credits } = entitlement;
  return fields([
    ['id', `${entitlement.id} rev ${entitlement.rev}`],
    ['product', entitlement.product],
    ['seats', `${entitlement.seats} (${entitlement.allocated} allocated)`],
    ['valid', `${entitlement.from} to ${entitlement.until}`],
    ['state', `${entitlement.state}, ${daysLeftWords(entitlement.daysLeft)}`],
    [
      'removal',
      removing === undefined ? undefined : `pending ${pendingCell(removing, nowMs)}, asked by ${removing.by}`,
    ],
    ['share', entitlement.share],
    [
      'borrow',
      borrow === null ? 'no' : `${borrow.seats} seats, up to ${spanWords(borrow.maxSeconds * 1000)}`,
    ],
    ['early return', entitlement.earlyReturn],
    ['credits', credits === undefined ? undefined : `${credits.bought} (${credits.spent} spent)`],
    ['holder', entitlement.holder],
    ['number', display.number],
    ['licence key', display.licenseKey],
    ['add-ons', display.addOns?.join(', ')],
    ['ordered from', display.orderedFrom],
    ['currency', display.currency],
    ['payment', display.paymentMethod],
    ['download', display.download],
    ['buy', display.buy],
    ['renew', display.renew],
    ['upgrade', display.upgrade],
    ['NFR', display.nfr === true ? 'not for resale' : undefined],
    ['vendor', entitlement.vendor],
  ]);
}
