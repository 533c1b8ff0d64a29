import { type ErrorCode, errors, isErrorCode, type ResultOf } from '@berth/protocol';
import { defineCommand } from '../command.js';
import { Failure, failureText } from '../fail.js';
import { clean } from '../output.js';
import { given, optional, parseProduct, parseSeats, parseUser } from '../parse.js';
import { withAdmin } from '../session.js';
import { seatWords, untilWords } from '../words.js';

type Why = ResultOf<'user.why'>;

export const why = defineCommand({
  usage: 'why <email> <product>',
  describe: 'Say whether a user would get a seat now, from where, and if not why',
  positionals: {
    email: { type: 'string', demandOption: true, describe: 'e-mail address, or a login name' },
    product: { type: 'string', demandOption: true, describe: 'product id as in `berth status`' },
  },
  options: { seats: { type: 'string', describe: 'how many seats (default: 1)' } },
  examples: [
    [
      'berth why anna@studio.example render',
      'why Anna gets no seat: the rule, who holds what, when one is free',
    ],
    ['berth why lgt07 render --seats 2 --json', 'for a script; the exit code is that of the refusal'],
  ],
  more: 'The server decides it as it would a checkout of now, and changes nothing. Exit code 0: granted; else the one that a checkout would have had.',
  run: async (context, args) => {
    const params = given({
      email: parseUser(args.email),
      product: parseProduct(args.product, 'PRODUCT'),
      seats: optional(args.seats, parseSeats),
    });
    const document = await withAdmin(context, (admin) => admin.call('user.why', params));
    const { refusal } = document;
    const nowMs = context.nowMs();
    if (refusal === undefined) return { document, text: `Yes. ${clean(told(document, nowMs))}` };
    const code: ErrorCode = isErrorCode(refusal.code) ? refusal.code : 'INTERNAL';
    const { message, next, holders, nextFreeAtMs, untilMs, rule } = refusal;
    const detail = {
      rule: rule ?? null,
      holders,
      nextFreeAtMs,
      more: untilMs === undefined ? {} : { untilMs },
    };
    const failure = new Failure(code, { message, next, detail });
    return {
      document,
      text: (screen) => {
        const said = failureText(failure, { nowMs: context.nowMs, stderr: screen });
        return `${said.replace(/^berth: /, 'No: ')}${clean(told(document, nowMs))}`;
      },
      exitCode: errors[code].exit,
    };
  },
});

/** What a refusal of new seats leaves as it is. */
function borrowLines({ borrows = [], granted, product }: Why, nowMs: number): string[] {
  if (granted) return [];
  return borrows.map(
    ({ device, seats, untilMs }) =>
      `A program on ${device} can go on using what is borrowed there all the same: ${seatWords(seats)} of ${product}, until ${untilWords(untilMs, nowMs)}.`,
  );
}

/** For whoever asks, who may do more about it than the user can. */
function adviceLines({ advice = [], allocatedTo = [], product }: Why): string[] {
  const shown = allocatedTo.map(
    ({ email, quantity, idle }) => `  ${email}: ${seatWords(quantity)}, ${idle} of them idle`,
  );
  return [
    ...(shown.length === 0 ? [] : [`Set aside of ${product}:`, ...shown]),
    ...advice.map((one) => `An admin can do this: ${one}`),
  ];
}

function revokeLine({ own: { revoking }, email, product }: Why, nowMs: number): string[] {
  if (revoking === undefined) return [];
  const { seats, untilMs } = revoking;
  return [
    `A revoke of ${seats} of these is pending until ${untilWords(untilMs, nowMs)}: nothing new from them. To cancel it: berth license revoke ${email} ${product} --cancel`,
  ];
}

function told(why: Why, nowMs: number): string {
  const { email, product, seats, from, own, pool, device, awaited, granted } = why;
  const lines = from.map(({ seats: count, entitlement, expires, allocated, how }) => {
    const whose = allocated ? `set aside for ${email}` : 'shared';
    const way = how === 'joined' ? ', sharing one in use' : how === 'kept' ? ', kept after its release' : '';
    return `  ${seatWords(count)} ${whose} of ${entitlement}, until ${expires}${way}`;
  });
  const would = granted
    ? `${email} on ${device} would get ${seatWords(seats)} of ${product}:`
    : 'There would be:';
  return [
    ...(lines.length === 0 ? [] : [would, ...lines]),
    `Set aside for ${email}: ${own.quantity} (${own.inUse} in use, ${own.borrowed} borrowed).`,
    ...revokeLine(why, nowMs),
    ...borrowLines(why, nowMs),
    ...adviceLines(why),
    `Pool: ${pool.owned} owned, ${pool.shared} shared, ${pool.inUse} in use, ${pool.borrowed} borrowed, ${pool.held} held, ${pool.free} free; floating sharing ${pool.floatingSharing ? 'on' : 'off'}.`,
    ...(awaited > 0 ? [`In line before: ${seatWords(awaited)}.`] : []),
  ].join('\n');
}
