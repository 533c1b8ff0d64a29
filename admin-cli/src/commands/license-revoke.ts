import { limits } from '@berth/protocol';
import { defineCommand } from '../command.js';
import { confirm } from '../confirm.js';
import { usage } from '../fail.js';
import { given, optional, parseCount, parseDay, parseEmail, parseProduct } from '../parse.js';
import { withAdmin } from '../session.js';
import { seatWords } from '../words.js';

export const licenseRevoke = defineCommand({
  usage: 'revoke <email> <product>',
  describe: 'Take seats back that were set aside for a user: one, unless said otherwise',
  positionals: {
    email: { type: 'string', demandOption: true, describe: 'e-mail address of the user' },
    product: { type: 'string', demandOption: true, describe: 'product id as in `berth license list`' },
  },
  options: {
    quantity: { type: 'string', describe: 'how many seats (default: 1)' },
    all: { type: 'boolean', default: false, describe: 'every seat of the product' },
    expires: { type: 'string', describe: 'only of the entitlement whose last day is this one, YYYY-MM-DD' },
  },
  examples: [
    ['berth license revoke anna@studio.example render', 'one seat'],
    ['berth license revoke anna@studio.example render --all --yes', 'all of them, without being asked'],
  ],
  more: 'Leases that run on the seats end. Refused while the user has borrowed the seat: the borrow has to end first.',
  run: async (context, args) => {
    if (args.all && args.quantity !== undefined)
      throw usage('--all and --quantity exclude each other.', 'Give one of them.');
    const email = parseEmail(args.email);
    const product = parseProduct(args.product, 'PRODUCT');
    const count = optional(args.quantity, (text) =>
      parseCount(text, '--quantity', 1, limits.seatsPerEntitlement),
    );
    const expires = optional(args.expires, (text) => parseDay(text, '--expires'));
    if (args.all) await confirm(context, `Revoke every seat of ${product} from ${email}?`);
    const key = context.sdk.newIdempotencyKey();
    const quantity = args.all ? ('all' as const) : count;
    const document = await withAdmin(context, (admin) =>
      admin.call('allocation.revoke', given({ key, email, product, quantity, expires })),
    );
    const { revoked, left, leasesRevoked } = document;
    const ended =
      leasesRevoked === 0
        ? ''
        : ` ${leasesRevoked} running ${leasesRevoked === 1 ? 'lease' : 'leases'} ended.`;
    const note = `Revoked ${seatWords(revoked)} of ${document.product} from ${document.email}; ${left} left.${ended}`;
    return { document, text: '', notes: [note] };
  },
});
