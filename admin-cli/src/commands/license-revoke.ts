import { limits, type ResultOf } from '@berth/protocol';
import { defineCommand } from '../command.js';
import { confirm } from '../confirm.js';
import { dryRun, dryRunOption, memberCalled, verdicts, whomWords } from '../dry-run.js';
import { usage } from '../fail.js';
import { given, optional, parseCount, parseDay, parseProduct, parseUser } from '../parse.js';
import { pendingOptions, whenOf } from '../pending.js';
import { withAdmin } from '../session.js';
import { momentWords, seatWords } from '../words.js';

export const licenseRevoke = defineCommand({
  usage: 'revoke <email> <product>',
  describe: 'Take seats back that were set aside for a user: one, unless said otherwise',
  positionals: {
    email: { type: 'string', demandOption: true, describe: 'e-mail address of the user, or a login name' },
    product: { type: 'string', demandOption: true, describe: 'product id as in `berth license list`' },
  },
  options: {
    quantity: { type: 'string', describe: 'how many seats (default: 1)' },
    all: { type: 'boolean', default: false, describe: 'every seat of the product' },
    expires: { type: 'string', describe: 'only of the entitlement whose last day is this one, YYYY-MM-DD' },
    ...pendingOptions,
    ...dryRunOption,
  },
  examples: [
    ['berth license revoke anna@studio.example render', 'one seat'],
    ['berth license revoke anna@studio.example render --all --dry-run', 'what that would touch'],
    ['berth license revoke anna@studio.example render --all --yes', 'all of them, without being asked'],
    [
      'berth license revoke anna@studio.example render --pending',
      'and if it is borrowed: as soon as it is back',
    ],
    ['berth license revoke anna@studio.example render --cancel', 'leave it to her after all'],
  ],
  more: 'Leases that run on the seats end. Refused while the user has borrowed the seat: the borrow has to end first. With --pending the rest waits for that by itself; until then nothing new is granted from the allocation.',
  exits: [[8, 'a seat of it is borrowed']],
  run: async (context, args) => {
    if (args.all && args.quantity !== undefined)
      throw usage('--all and --quantity exclude each other.', 'Give one of them.');
    const email = parseUser(args.email);
    const product = parseProduct(args.product, 'PRODUCT');
    const count = optional(args.quantity, (text) =>
      parseCount(text, '--quantity', 1, limits.seatsPerEntitlement),
    );
    const expires = optional(args.expires, (text) => parseDay(text, '--expires'));
    const when = whenOf(args);
    if (args['dry-run']) {
      const which = args.all ? 'every seat' : seatWords(count ?? 1);
      const header = ['email', 'product', 'quantity', 'expires'];
      const rows = [[email, product, args.all ? '' : String(count ?? 1), expires ?? '']];
      return await dryRun(
        context,
        ([scope]) => `revoke ${which} of ${product} from ${whomWords(scope!)}`,
        async (admin) => ({ ...(await memberCalled(admin, email)), product, expires }),
        (admin) => verdicts(context, admin, { kind: 'revoke', header, rows, pending: args.pending }),
      );
    }
    if (args.all && !args.cancel) await confirm(context, `Revoke every seat of ${product} from ${email}?`);
    const key = context.sdk.newIdempotencyKey();
    const quantity = args.all ? ('all' as const) : count;
    const document = await withAdmin(context, (admin) =>
      admin.call('allocation.revoke', given({ key, email, product, quantity, expires, ...when })),
    );
    return { document, text: '', notes: notesOf(document, args.cancel, context.nowMs()) };
  },
});

function notesOf(document: ResultOf<'allocation.revoke'>, cancel: boolean, nowMs: number): string[] {
  const {
    email,
    product,
    revoked,
    left,
    leasesRevoked,
    pending = 0,
    pendingUntilMs,
    cancelled = 0,
  } = document;
  if (cancel) {
    return cancelled === 0
      ? [`No revoke of ${product} from ${email} was pending.`]
      : [`Cancelled the pending revoke of ${seatWords(cancelled)} of ${product}; ${email} keeps ${left}.`];
  }
  const ended =
    leasesRevoked === 0 ? '' : ` ${leasesRevoked} running ${leasesRevoked === 1 ? 'lease' : 'leases'} ended.`;
  const now = `Revoked ${seatWords(revoked)} of ${product} from ${email}; ${left} left.${ended}`;
  const notes = revoked === 0 && pending > 0 ? [] : [now];
  if (pending > 0 && pendingUntilMs !== undefined) {
    const until = momentWords(pendingUntilMs, nowMs);
    notes.push(
      `The revoke of ${seatWords(pending)} is pending: it takes effect by itself when the borrow ends, at the latest ${until}.`,
    );
  }
  return notes;
}
