import {
  canonicalEmail,
  type Display,
  dayEndMs,
  dayStartMs,
  type EntitlementClaims,
  formatPublicKey,
  limits,
  parseToken,
  signToken,
} from '@berth/protocol';
import { type Args, defineCommand, type None } from '../command.js';
import type { Context } from '../context.js';
import { publicKeyOf, signWith } from '../ed25519.js';
import { newEntitlementId, readEntitlement } from '../entitlement.js';
import { Failure, usage } from '../fail.js';
import { readText, writeText } from '../files.js';
import { isInlineSecret, readSecretKey, readServerKey } from '../keys.js';
import { parseCount, parseDay, parseDurationSeconds, parseId, parseProduct, quote } from '../parse.js';

const terms = {
  key: { type: 'string', demandOption: true, describe: 'the vendor key that signs: the file vendor.key' },
  server: {
    type: 'string',
    demandOption: true,
    describe:
      'the server it is for: its key, or what `berth entitlement request --json` printed, as text or file',
  },
  product: { type: 'string', demandOption: true, describe: 'product id' },
  seats: { type: 'string', demandOption: true, describe: 'number of seats' },
  from: { type: 'string', demandOption: true, describe: 'first day, YYYY-MM-DD (UTC)' },
  until: { type: 'string', demandOption: true, describe: 'last day, inclusive, YYYY-MM-DD (UTC)' },
  'borrow-max': { type: 'string', describe: 'longest borrow, such as 30d; with --borrow-seats' },
  'borrow-seats': { type: 'string', describe: 'how many of the seats may be borrowed at once' },
  'early-return': {
    type: 'string',
    choices: ['at-once', 'at-expiry'],
    default: 'at-once',
    describe: 'when a borrowed seat that is returned early comes free',
  },
  share: {
    type: 'string',
    choices: ['process', 'device', 'user'],
    default: 'device',
    describe: 'whose checkouts share one seat',
  },
  id: { type: 'string', describe: 'id of the entitlement; random when left out' },
  rev: { type: 'string', default: '1', describe: 'revision: the highest one of an id counts' },
  replaces: { type: 'string', describe: 'id of the entitlement that this one replaces' },
  holder: { type: 'string', describe: 'e-mail of the only person who may use it' },
  credits: { type: 'string', describe: 'credits that come with it' },
} as const;

/** Shown to people, never used for a decision. */
const display = {
  number: { type: 'string', describe: 'subscription number' },
  'license-key': { type: 'string', describe: 'licence key to show' },
  'add-on': { type: 'string', array: true, describe: 'an add-on; may be given several times' },
  'ordered-from': { type: 'string', describe: 'where it was ordered' },
  currency: { type: 'string', describe: 'currency of the order' },
  'payment-method': { type: 'string', describe: 'how it was paid' },
  download: { type: 'string', describe: 'link to the download' },
  buy: { type: 'string', describe: 'link to buy more' },
  renew: { type: 'string', describe: 'link to renew' },
  upgrade: { type: 'string', describe: 'link to upgrade' },
  nfr: { type: 'boolean', describe: 'not for resale' },
} as const;

const options = {
  ...terms,
  ...display,
  out: { type: 'string', default: '-', describe: 'file to write; - for stdout' },
  force: {
    type: 'boolean',
    describe: 'write over --out whatever it is (an entitlement is written over anyway)',
  },
} as const;

type IssueArgs = Args<None, typeof options>;

export const vendorIssue = defineCommand({
  usage: 'issue',
  describe: 'Sign an entitlement: seats of a product for one server',
  options,
  examples: [
    [
      'berth vendor issue --key keys/vendor.key --server request.json --product render --seats 3 --from 2026-01-01 --until 2026-12-31 --out render.ent',
      'three seats for the server that made request.json',
    ],
    [
      'berth vendor issue --key keys/vendor.key --server ed25519:… --product render --seats 10 --from 2026-01-01 --until 2026-12-31 --borrow-max 30d --borrow-seats 2 --out -',
      'ten seats, two of them to borrow for up to 30 days, to stdout',
    ],
  ],
  run: async (context, args) => {
    const seed = await readSecretKey(context, args.key, '--key');
    const claims = await claimsOf(context, args, formatPublicKey(publicKeyOf(seed)));
    const token = signToken('entitlement', claims, signWith(seed));
    refuseUnlessGood(token);
    if (args.out !== '-') await write(context, args.out, token, args.force === true);
    const file = args.out === '-' ? null : args.out;
    return {
      document: { id: claims.jti, rev: claims.rev, file, token, claims },
      text: file === null ? token : '',
      notes: notesOf(context, args, claims, file),
    };
  },
});

/** An entitlement can be issued again, so one may be written over; anything else, a key above all, may not. */
async function write(context: Context, file: string, token: string, force: boolean): Promise<void> {
  const exclusive = !force && (await context.files.exists(file)) && !(await isEntitlement(context, file));
  await writeText(context, file, `${token}\n`, { exclusive });
}

async function isEntitlement(context: Context, file: string): Promise<boolean> {
  const text = (await readText(context, file)).trim();
  return text === '' || parseToken('entitlement', text).ok;
}

/** In the order of the schema: the order is part of the bytes that are signed. */
async function claimsOf(context: Context, args: IssueArgs, vendorKey: string): Promise<EntitlementClaims> {
  const seats = parseCount(args.seats, '--seats', 1, limits.seatsPerEntitlement);
  const borrow = borrowOf(args, seats);
  return {
    jti: args.id === undefined ? newEntitlementId() : parseId(args.id, '--id'),
    rev: parseCount(args.rev, '--rev', 1, Number.MAX_SAFE_INTEGER),
    ...(args.replaces === undefined ? {} : { replaces: parseId(args.replaces, '--replaces') }),
    iss: vendorKey,
    sub: await readServerKey(context, args.server, '--server'),
    product: parseProduct(args.product, '--product'),
    seats,
    ...validityOf(args),
    share: args.share as EntitlementClaims['share'],
    ...(borrow === undefined ? {} : { borrow }),
    earlyReturn: args['early-return'] as EntitlementClaims['earlyReturn'],
    ...(args.holder === undefined ? {} : { holder: holderOf(args.holder) }),
    ...(args.credits === undefined
      ? {}
      : { credits: parseCount(args.credits, '--credits', 0, Number.MAX_SAFE_INTEGER) }),
    display: displayOf(args),
  };
}

/** Seconds since 1970; `exp` is exclusive, so it is the first moment after the last day (PROTOCOL 4.3). */
function validityOf(args: IssueArgs): { nbf: number; exp: number } {
  const from = parseDay(args.from, '--from');
  const until = parseDay(args.until, '--until');
  if (until < from)
    throw usage(
      `--until ${until} is before --from ${from}.`,
      'Give a last day that is not before the first.',
    );
  if (from < '1970-01-01') throw usage(`--from ${from} is before 1970.`);
  return { nbf: dayStartMs(from)! / 1000, exp: dayEndMs(until)! / 1000 };
}

function borrowOf(args: IssueArgs, seats: number): EntitlementClaims['borrow'] {
  const { 'borrow-max': max, 'borrow-seats': borrowSeats } = args;
  if (max === undefined && borrowSeats === undefined) return undefined;
  if (max === undefined || borrowSeats === undefined) {
    throw usage('--borrow-max and --borrow-seats go together.', 'Give both, or neither to forbid borrowing.');
  }
  const maxSeconds = parseDurationSeconds(max, '--borrow-max');
  if (maxSeconds < 1 || maxSeconds > limits.borrowSeconds) {
    throw usage(`--borrow-max ${quote(max)} is not from 1s to ${limits.borrowSeconds / 86_400}d.`);
  }
  const count = parseCount(borrowSeats, '--borrow-seats', 1, limits.seatsPerEntitlement);
  if (count > seats) throw usage(`--borrow-seats ${count} is more than --seats ${seats}.`);
  return { maxSeconds, seats: count };
}

function holderOf(text: string): string {
  const email = canonicalEmail(text);
  if (email === null)
    throw new Failure('EMAIL_INVALID', { message: `--holder ${quote(text)} is not an e-mail address.` });
  return email;
}

function displayOf(args: IssueArgs): Display {
  const shown = {
    number: args.number,
    licenseKey: args['license-key'],
    addOns: args['add-on'],
    orderedFrom: args['ordered-from'],
    currency: args.currency,
    paymentMethod: args['payment-method'],
    download: args.download,
    buy: args.buy,
    renew: args.renew,
    upgrade: args.upgrade,
    nfr: args.nfr === true ? true : undefined,
  };
  return Object.fromEntries(Object.entries(shown).filter(([, value]) => value !== undefined)) as Display;
}

/** The vendor must not send out what a server will refuse: it is read back as a server reads it. */
function refuseUnlessGood(token: string): void {
  const read = readEntitlement(token);
  if (read.ok && read.signature === 'valid') return;
  if (!read.ok && read.fault === 'TOO_LONG') {
    throw usage(
      `The entitlement is longer than ${limits.tokenChars} characters.`,
      'Shorten what is displayed.',
    );
  }
  const why = read.ok ? 'its signature does not verify' : read.fault;
  throw usage(
    `These values make no valid entitlement: ${why}.`,
    'Shorten long texts; a text has at most 400 characters.',
  );
}

function notesOf(
  context: Context,
  args: IssueArgs,
  claims: EntitlementClaims,
  file: string | null,
): string[] {
  const notes = [];
  if (isInlineSecret(args.key)) {
    notes.push(
      'Warning: a secret key on the command line can be read by other users of this computer; give a file.',
    );
  }
  if (claims.exp * 1000 <= context.nowMs())
    notes.push(`Warning: it has already expired (--until ${args.until}).`);
  if (file !== null) {
    notes.push(
      `Wrote ${file}: ${claims.seats} x ${claims.product}, ${args.from} to ${args.until}, id ${claims.jti} rev ${claims.rev}.`,
    );
  }
  return notes;
}
