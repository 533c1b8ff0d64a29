import { limits } from '@berth/protocol';
import { borrowJson } from '../borrows.js';
import { defineCommand } from '../command.js';
import { usage } from '../fail.js';
import { parseDurationSeconds, parseProduct, parseSeats, quote } from '../parse.js';
import { cancellable, identity } from '../session.js';
import { vendorKeyOption, vendorKeysOf } from '../vendor-keys.js';
import { momentWords, seatWords } from '../words.js';

export const borrowTake = defineCommand({
  usage: 'take',
  describe: 'Borrow seats for offline use on this computer, or extend a borrow',
  options: {
    product: { type: 'string', demandOption: true, describe: 'product id' },
    for: { type: 'string', demandOption: true, describe: 'for how long: 8h, 3d, 2w' },
    seats: { type: 'string', default: '1', describe: 'how many seats' },
    ...vendorKeyOption,
  },
  examples: [['berth borrow take --product render --for 3d', 'work offline for three days']],
  more: 'A borrowed seat cannot be taken back by an admin; return it early with `berth borrow return`.',
  run: async (context, args) => {
    const product = parseProduct(args.product, '--product');
    const seconds = parseDurationSeconds(args.for, '--for');
    if (seconds < 1 || seconds > limits.borrowSeconds) {
      throw usage(`--for ${quote(args.for)} is not from 1s to ${limits.borrowSeconds / 86_400}d.`);
    }
    const seats = parseSeats(args.seats);
    const vendorKeys = await vendorKeysOf(context, args['vendor-key']);
    const client = await cancellable(
      context,
      context.sdk.connect({ ...identity(context), product, vendorKeys }),
    );
    try {
      const borrow = await cancellable(context, client.borrow({ seconds, seats, signal: context.signal }));
      const until = momentWords(borrow.expiresAtMs, context.nowMs());
      const note = `Borrowed ${seatWords(borrow.seats)} of ${borrow.product}; it ends ${until}. Works without the server from now on.`;
      return { document: { borrow: borrowJson(borrow) }, text: borrow.id, notes: [note] };
    } finally {
      await client.close();
    }
  },
});
