import { limits, type ParamsOf, type ResultOf } from '@berth/protocol';
import { defineCommand } from '../command.js';
import { asks, confirm } from '../confirm.js';
import type { Context } from '../context.js';
import { dryRun, dryRunOption, memberCalled, verdict, whomWords } from '../dry-run.js';
import { isMethodUnknown, usage } from '../fail.js';
import type { Answer } from '../output.js';
import { given, optional, parseCount, parseDay, parseProduct, parseUser } from '../parse.js';
import { pendingOptions, whenOf } from '../pending.js';
import { withAdmin } from '../session.js';
import { momentWords, seatWords, untilWords } from '../words.js';

type Revoked = ResultOf<'allocation.revoke'>;

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
    const quantity = args.all ? ('all' as const) : count;
    const asked = given({ email, product, quantity, expires, ...when });
    if (args['dry-run']) return await wouldRevoke(context, asked);
    const shown = args.all && !args.cancel ? await confirmed(context, asked) : undefined;
    const key = context.sdk.newIdempotencyKey();
    const document = await withAdmin(context, (admin) => admin.call('allocation.revoke', { key, ...asked }));
    const notes = notesOf(document, args.cancel, context.nowMs());
    return { document, text: '', notes: [...notes, ...changedNotes(shown, document)] };
  },
});

/** How many seats whoever was asked has said yes to; what would be refused is refused before. */
async function confirmed(
  context: Context,
  asked: ParamsOf<'allocation.revoke.preview'>,
): Promise<number | undefined> {
  if (!asks(context)) return undefined;
  const would = await withAdmin(context, (admin) => admin.call('allocation.revoke.preview', asked)).catch(
    (error: unknown) => {
      if (isMethodUnknown(error)) return undefined; // An older server: it does the rest.
      throw error;
    },
  );
  if (would === undefined) {
    await confirm(context, `Revoke every seat of ${asked.product} from ${asked.email}?`);
    return undefined;
  }
  const seats = seatsOf(would);
  const what = seats === 1 ? 'the one seat' : `all ${seats} seats`;
  await confirm(context, `Revoke ${what} of ${asked.product} from ${would.email}?`);
  return seats;
}

/** Somebody else was quicker while the question stood there. */
function changedNotes(shown: number | undefined, document: Revoked): string[] {
  const seats = seatsOf(document);
  if (shown === undefined || shown === seats) return [];
  return [
    `When you were asked it was ${seatWords(shown)}, now ${seats}: somebody changed it meanwhile. To see who: berth audit list --user ${document.email} --limit 5`,
  ];
}

const seatsOf = ({ revoked, pending = 0 }: Revoked): number => revoked + pending;

async function wouldRevoke(context: Context, asked: ParamsOf<'allocation.revoke.preview'>): Promise<Answer> {
  const { email, product, quantity = 1, expires } = asked;
  if (asked.cancel) {
    const would = await withAdmin(context, (admin) => admin.call('allocation.revoke.preview', asked));
    const notes = [`${keptNote(would)} Nothing was changed.`];
    return { document: { dryRun: true, ...would }, text: '', notes };
  }
  const seats = quantity === 'all' ? 'every seat' : seatWords(quantity);
  return await dryRun(
    context,
    ([scope]) => `revoke ${seats} of ${product} from ${whomWords(scope!)}`,
    async (admin) => ({ ...(await memberCalled(admin, email)), product, expires }),
    (admin) =>
      verdict(context, admin, 'allocation.revoke.preview', asked, (would) =>
        wouldNotes(would, context.nowMs()),
      ),
  );
}

function keptNote({ email, product, left, cancelled = 0 }: Revoked): string {
  return cancelled === 0
    ? `No revoke of ${product} from ${email} is pending.`
    : `Would cancel the pending revoke of ${seatWords(cancelled)} of ${product}; ${email} would keep ${left}.`;
}

function wouldNotes(would: Revoked, nowMs: number): string[] {
  const { email, product, left, leasesRevoked, pending = 0, pendingUntilMs = nowMs } = would;
  const ended = leasesRevoked === 1 ? '1 running lease' : `${leasesRevoked} running leases`;
  const now = `${email} would have ${seatWords(left)} of ${product} left; ${ended} would end.`;
  if (pending === 0) return [now];
  const until = untilWords(pendingUntilMs, nowMs);
  return [now, `The revoke of ${seatWords(pending)} would be pending, until ${until} at the latest.`];
}

function notesOf(document: Revoked, cancel: boolean, nowMs: number): string[] {
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
