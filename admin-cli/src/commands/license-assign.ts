import { limits, type ParamsOf, type ResultOf } from '@berth/protocol';
import { defineCommand } from '../command.js';
import type { Context } from '../context.js';
import { dryRun, dryRunOption, memberCalled, verdict, whomWords } from '../dry-run.js';
import type { Answer } from '../output.js';
import { given, optional, parseCount, parseDay, parseLabel, parseProduct, parseUser } from '../parse.js';
import { withAdmin } from '../session.js';
import { seatWords } from '../words.js';

/** Which entitlement of a product is meant. */
export const whichOptions = {
  expires: {
    type: 'string',
    describe: 'last day of the entitlement to take from, YYYY-MM-DD; the one that ends last when left out',
  },
  subscription: {
    type: 'string',
    describe:
      'number of the subscription to take from, or its id; with --expires only if it ends on that day',
  },
} as const;

/** As the wire wants it. */
export function whichOf(args: { expires: string | undefined; subscription: string | undefined }): {
  expires: string | undefined;
  subscription: string | undefined;
} {
  const subscription = optional(args.subscription, (text) => parseLabel(text, '--subscription'));
  return { expires: optional(args.expires, (text) => parseDay(text, '--expires')), subscription };
}

export const licenseAssign = defineCommand({
  usage: 'assign <email> <product>',
  describe: 'Set seats aside for one user, beside those they have',
  positionals: {
    email: { type: 'string', demandOption: true, describe: 'e-mail address of the user, or a login name' },
    product: { type: 'string', demandOption: true, describe: 'product id as in `berth status`' },
  },
  options: {
    quantity: { type: 'string', default: '1', describe: 'how many seats' },
    ...whichOptions,
    from: { type: 'string', describe: 're-allocate: take them from this user, in the same step' },
    ...dryRunOption,
  },
  examples: [
    ['berth license assign anna@studio.example render', 'one seat'],
    [
      'berth license assign anna@studio.example render --quantity 2 --expires 2026-12-31',
      'two of a certain entitlement',
    ],
    [
      'berth license assign anna@studio.example render --subscription S-1042',
      'one of a certain subscription',
    ],
    ['berth license assign anna@studio.example render --from bo@studio.example', 'the seat that Bo has'],
    [
      'berth license assign anna@studio.example render --quantity 5 --dry-run',
      'of which entitlement they would be, or why not',
    ],
  ],
  run: async (context, args) => {
    const email = parseUser(args.email);
    const product = parseProduct(args.product, 'PRODUCT');
    const quantity = parseCount(args.quantity, '--quantity', 1, limits.seatsPerEntitlement);
    const which = whichOf(args);
    const from = optional(args.from, parseUser);
    if (from !== undefined) {
      const move = { email: from, to: email, product, quantity, ...which };
      return await (args['dry-run'] ? wouldMove : moveSeats)(context, move);
    }
    const asked = given({ email, product, quantity, ...which });
    if (args['dry-run']) return await wouldAssign(context, asked);
    const params = { key: context.sdk.newIdempotencyKey(), ...asked };
    const document = await withAdmin(context, (admin) => admin.call('allocation.assign', params));
    const { allocation } = document;
    const notes = [`Assigned. ${hasNow(allocation)}`];
    return { document, text: '', notes };
  },
});

function hasNow({ email, product, quantity, expires }: ResultOf<'allocation.assign'>['allocation']): string {
  return `${email} now has ${seatWords(quantity)} of ${product} until ${expires}.`;
}

/** Of which entitlement the seats would be, or why they would be refused, beside what the member has. */
async function wouldAssign(context: Context, asked: ParamsOf<'allocation.assign.preview'>): Promise<Answer> {
  const { product, expires } = asked;
  return await dryRun(
    context,
    ([scope]) => `assign ${seatWords(asked.quantity)} of ${product} to ${whomWords(scope!)}`,
    async (admin) => ({ ...(await memberCalled(admin, asked.email)), product, expires }),
    (admin) =>
      verdict(context, admin, 'allocation.assign.preview', asked, ({ allocation }) => [
        `${allocation.email} would have ${seatWords(allocation.quantity)} of ${product} until ${allocation.expires} (${allocation.entitlement}).`,
      ]),
  );
}

interface Move {
  readonly email: string;
  readonly to: string;
  readonly product: string;
  readonly quantity: number | 'all' | undefined;
  readonly expires: string | undefined;
  readonly subscription: string | undefined;
}

/** What a re-allocation would touch, and whether it would be refused. */
export async function wouldMove(context: Context, asked: Move): Promise<Answer> {
  const { email, to, product, quantity = 1, expires } = asked;
  const seats = quantity === 'all' ? 'every seat' : seatWords(quantity);
  return await dryRun(
    context,
    ([scope]) => `move ${seats} of ${product} from ${whomWords(scope!)} to ${to}`,
    async (admin) => {
      await memberCalled(admin, to);
      return { ...(await memberCalled(admin, email)), product, expires };
    },
    (admin) => verdict(context, admin, 'allocation.move.preview', given({ ...asked })),
  );
}

/** Re-allocates: one step on the server, so that nobody can come between. */
export async function moveSeats(context: Context, asked: Move): Promise<Answer> {
  const params = given({ key: context.sdk.newIdempotencyKey(), ...asked });
  const document = await withAdmin(context, (admin) => admin.call('allocation.move', params));
  const { email, product, moved, left, leasesRevoked, allocations } = document;
  const ended =
    leasesRevoked === 0
      ? ''
      : ` ${leasesRevoked === 1 ? 'A lease' : `${leasesRevoked} leases`} of ${email} ended; the seat is free when its plugin stops.`;
  const notes = [
    `Moved ${seatWords(moved)} of ${product} from ${email}, who has ${left} left.${ended}`,
    ...allocations.map(hasNow),
  ];
  return { document, text: '', notes };
}
