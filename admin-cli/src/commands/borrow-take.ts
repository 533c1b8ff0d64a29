import { limits } from '@berth/protocol';
import { borrowJson } from '../borrows.js';
import { defineCommand } from '../command.js';
import { usage } from '../fail.js';
import { optional, parseDurationSeconds, parseProduct, parseSeats, quote } from '../parse.js';
import { asPlugin, cancellable, identity } from '../session.js';
import { vendorKeyOption, vendorKeysOf } from '../vendor-keys.js';
import { momentWords, seatWords } from '../words.js';

export const borrowTake = defineCommand({
  usage: 'take',
  describe: 'Borrow seats for offline use on this computer, or extend a borrow',
  options: {
    product: { type: 'string', demandOption: true, describe: 'product id' },
    for: { type: 'string', demandOption: true, describe: 'for how long: 8h, 3d, 2w' },
    seats: { type: 'string', default: '1', describe: 'how many seats' },
    'auto-extend': {
      type: 'boolean',
      default: false,
      describe:
        'extend it near its end by itself, whenever a plugin or `berth run` of this computer is online then',
    },
    'extend-before': {
      type: 'string',
      describe: 'how near the end (default: a quarter of --for, at most 1d); implies --auto-extend',
    },
    ...vendorKeyOption,
  },
  examples: [
    ['berth borrow take --product render --for 3d', 'work offline for three days'],
    [
      'berth borrow take --product render --for 3d --auto-extend --extend-before 12h',
      'and stay three days ahead',
    ],
  ],
  more: 'A borrowed seat cannot be taken back by an admin; return it early with `berth borrow return`. Taken again, it is extended; the last take says whether it extends itself.',
  run: async (context, args) => {
    const product = parseProduct(args.product, '--product');
    const seconds = parseDurationSeconds(args.for, '--for');
    if (seconds < 1 || seconds > limits.borrowSeconds) {
      throw usage(`--for ${quote(args.for)} is not from 1s to ${limits.borrowSeconds / 86_400}d.`);
    }
    const seats = parseSeats(args.seats);
    const extension = extensionOf(args, seconds);
    const vendorKeys = await vendorKeysOf(context, args['vendor-key']);
    const client = await cancellable(
      context,
      context.sdk.connect({ ...identity(context), product, vendorKeys }),
    );
    try {
      const borrow = await cancellable(
        context,
        asPlugin(context, () => client.borrow({ seconds, seats, ...extension, signal: context.signal })),
      );
      const until = momentWords(borrow.expiresAtMs, context.nowMs());
      const free = momentWords(borrow.freeAtMs, context.nowMs());
      const note = `Borrowed ${seatWords(borrow.seats)} of ${borrow.product}, valid until: ${until}. Works without the server from now on. If it is not returned, the seat is free again: ${free}.`;
      return { document: { borrow: borrowJson(borrow) }, text: borrow.id, notes: [note] };
    } finally {
      await client.close();
    }
  },
});

function extensionOf(
  args: { 'auto-extend': boolean; 'extend-before': string | undefined },
  seconds: number,
): { autoExtend: true; extendBeforeSeconds?: number } | Record<never, never> {
  const before = optional(args['extend-before'], (text) => parseDurationSeconds(text, '--extend-before'));
  if (before === undefined) return args['auto-extend'] ? { autoExtend: true } : {};
  if (before >= 1 && before < seconds) return { autoExtend: true, extendBeforeSeconds: before };
  throw usage('--extend-before is not shorter than --for.', 'Give a shorter time before the end.');
}
