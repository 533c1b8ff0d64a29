import { borrowJson } from '../borrows.js';
import { defineCommand } from '../command.js';
import { readText } from '../files.js';
import { vendorKeyOption, vendorKeysOf } from '../vendor-keys.js';
import { momentWords, seatWords } from '../words.js';

export const borrowInstall = defineCommand({
  usage: 'install <file>',
  describe: 'On the machine that asked: install what an admin granted in a file',
  positionals: { file: { type: 'string', demandOption: true, describe: 'what `berth borrow grant` wrote' } },
  options: vendorKeyOption,
  examples: [
    ['berth borrow install grant.json --vendor-key vendor.pub', 'verified up to the key of the vendor'],
  ],
  more: 'Needs no server. Each grant is for one request of one machine: installed again it changes nothing, and after it was returned it is refused.',
  run: async (context, args) => {
    const vendorKeys = await vendorKeysOf(context, args['vendor-key']);
    const file = await readText(context, args.file);
    const { home } = context.settings;
    const borrow = await context.sdk.installBorrow({ file, home, vendorKeys });
    const until = momentWords(borrow.expiresAtMs, context.nowMs());
    const note = `Borrowed ${seatWords(borrow.seats)} of ${borrow.product}; it ends ${until}. Works without any server.`;
    return { document: { borrow: borrowJson(borrow) }, text: borrow.id, notes: [note] };
  },
});
