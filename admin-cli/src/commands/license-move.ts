import { limits } from '@berth/protocol';
import { defineCommand } from '../command.js';
import { confirm } from '../confirm.js';
import { dryRunOption } from '../dry-run.js';
import { usage } from '../fail.js';
import { optional, parseCount, parseProduct, parseUser } from '../parse.js';
import { moveSeats, whichOf, whichOptions, wouldMove } from './license-assign.js';

export const licenseMove = defineCommand({
  usage: 'move <email> <product>',
  describe: 'Re-allocate: give seats of one user to another, in one step',
  positionals: {
    email: {
      type: 'string',
      demandOption: true,
      describe: 'e-mail address of who has the seats, or a login name',
    },
    product: { type: 'string', demandOption: true, describe: 'product id as in `berth license list`' },
  },
  options: {
    to: { type: 'string', demandOption: true, describe: 'e-mail address of who gets them, or a login name' },
    quantity: { type: 'string', describe: 'how many seats (default: 1)' },
    all: { type: 'boolean', default: false, describe: 'every seat of the product' },
    ...whichOptions,
    ...dryRunOption,
  },
  examples: [
    ['berth license move bo@studio.example render --to anna@studio.example', 'one seat from Bo to Anna'],
    [
      'berth license move bo@studio.example render --to anna@studio.example --all --dry-run',
      'what that would touch, and whether it would be refused',
    ],
    [
      'berth license move bo@studio.example render --to anna@studio.example --all --yes',
      'all that he has, without being asked',
    ],
  ],
  more: 'Idle seats go first. A seat in use goes to its new user when it is next free; its lease ends. Refused while it would take a borrowed seat: the borrow has to end first.',
  run: async (context, args) => {
    if (args.all && args.quantity !== undefined)
      throw usage('--all and --quantity exclude each other.', 'Give one of them.');
    const email = parseUser(args.email);
    const product = parseProduct(args.product, 'PRODUCT');
    const to = parseUser(args.to);
    if (email === to)
      throw usage(`${email} is both who has the seats and who gets them.`, 'Name somebody else with --to.');
    const count = optional(args.quantity, (text) =>
      parseCount(text, '--quantity', 1, limits.seatsPerEntitlement),
    );
    const which = whichOf(args);
    const quantity = args.all ? ('all' as const) : count;
    const asked = { email, to, product, quantity, ...which };
    if (args['dry-run']) return await wouldMove(context, asked);
    if (args.all) await confirm(context, `Move every seat of ${product} from ${email} to ${to}?`);
    return await moveSeats(context, asked);
  },
});
