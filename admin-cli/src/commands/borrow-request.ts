import { limits } from '@berth/protocol';
import { defineCommand } from '../command.js';
import { usage } from '../fail.js';
import { fileExists, writeText } from '../files.js';
import { optional, parseDurationSeconds, parseName, parseProduct, parseSeats, quote } from '../parse.js';

export const borrowRequest = defineCommand({
  usage: 'request',
  describe: 'On a machine that no network reaches: write a file that asks for seats',
  options: {
    product: { type: 'string', demandOption: true, describe: 'product id' },
    for: { type: 'string', demandOption: true, describe: 'for how long, from the grant: 8h, 3d, 2w' },
    out: { type: 'string', demandOption: true, describe: 'the file to write' },
    seats: { type: 'string', default: '1', describe: 'how many seats' },
    'device-name': { type: 'string', describe: 'how admins see this machine (default: its own name)' },
  },
  examples: [
    [
      'berth borrow request --product render --for 3d --out request.json',
      'then carry request.json to an admin',
    ],
  ],
  more: 'Needs no server and no `berth join`: a machine without a context makes a key of its own. The file is signed with it and good for a week; the older it is when it is granted, the longer the seat is held after the borrow. The clock of the machine must be right.',
  run: async (context, args) => {
    const product = parseProduct(args.product, '--product');
    const seconds = parseDurationSeconds(args.for, '--for');
    if (seconds < 1 || seconds > limits.borrowSeconds) {
      throw usage(`--for ${quote(args.for)} is not from 1s to ${limits.borrowSeconds / 86_400}d.`);
    }
    const seats = parseSeats(args.seats);
    const deviceName = optional(args['device-name'], parseName);
    const { out } = args;
    if (await context.files.exists(out)) throw fileExists(out);
    const { contextName, home } = context.settings;
    const {
      file,
      nonce,
      context: name,
    } = await context.sdk.requestBorrow({
      ...{ product, seconds, seats, home, deviceName },
      context: contextName,
    });
    await writeText(context, out, file, { mode: 0o600, exclusive: true });
    const note = `Wrote ${out}. An admin grants it with: berth borrow grant ${out} --out grant.json --user EMAIL`;
    return { document: { out, nonce, context: name, product, seats, seconds }, text: '', notes: [note] };
  },
});
