import { limits } from '@berth/protocol';
import { defineCommand } from '../command.js';
import { given, optional, parseCount, parseDay, parseEmail, parseProduct } from '../parse.js';
import { withAdmin } from '../session.js';
import { seatWords } from '../words.js';

export const licenseAssign = defineCommand({
  usage: 'assign <email> <product>',
  describe: 'Set seats aside for one user, beside those they have',
  positionals: {
    email: { type: 'string', demandOption: true, describe: 'e-mail address of the user' },
    product: { type: 'string', demandOption: true, describe: 'product id as in `berth status`' },
  },
  options: {
    quantity: { type: 'string', default: '1', describe: 'how many seats' },
    expires: {
      type: 'string',
      describe: 'last day of the entitlement to take from, YYYY-MM-DD; the one that ends last when left out',
    },
  },
  examples: [
    ['berth license assign anna@studio.example render', 'one seat'],
    [
      'berth license assign anna@studio.example render --quantity 2 --expires 2026-12-31',
      'two of a certain entitlement',
    ],
  ],
  run: async (context, args) => {
    const params = given({
      key: context.sdk.newIdempotencyKey(),
      email: parseEmail(args.email),
      product: parseProduct(args.product, 'PRODUCT'),
      quantity: parseCount(args.quantity, '--quantity', 1, limits.seatsPerEntitlement),
      expires: optional(args.expires, (text) => parseDay(text, '--expires')),
    });
    const document = await withAdmin(context, (admin) => admin.call('allocation.assign', params));
    const { email, product, quantity, expires } = document.allocation;
    const notes = [`Assigned. ${email} now has ${seatWords(quantity)} of ${product} until ${expires}.`];
    return { document, text: '', notes };
  },
});
