import { formatOfflineFile, type OfflineFile, type ParamsOf, parseToken } from '@berth/protocol';
import { defineCommand } from '../command.js';
import type { Context } from '../context.js';
import { Failure, usage } from '../fail.js';
import { fileExists, writeText } from '../files.js';
import { acceptReturn, readOfflineFile } from '../offline.js';
import type { Answer } from '../output.js';
import { given, optional, parseEmail } from '../parse.js';
import { withAdmin } from '../session.js';
import { momentWords, seatWords } from '../words.js';

export const borrowGrant = defineCommand({
  usage: 'grant <file>',
  describe: 'As an admin: lend what a machine asked for in a file, and write the answer',
  positionals: {
    file: { type: 'string', demandOption: true, describe: 'what `berth borrow request` wrote' },
  },
  options: {
    out: { type: 'string', describe: 'the file to write for the machine' },
    user: {
      type: 'string',
      describe: 'whose machine it is, when it is not known yet: it is enrolled for this user',
    },
    'dry-run': {
      type: 'boolean',
      default: false,
      describe: 'say what would be lent to whom, until when, or why not, and change nothing',
    },
  },
  examples: [
    [
      'berth borrow grant request.json --out grant.json --user anna@studio.example',
      'a machine nobody knows yet',
    ],
    [
      'berth borrow grant request.json --user anna@studio.example --dry-run',
      'what it asks for, and whether it would be lent',
    ],
    ['berth borrow grant return.json', 'the same as `berth borrow accept-return`'],
  ],
  more: 'Granting the same file again gives the same answer and takes no second seat. Refused when the request is older than a week or was changed.',
  run: async (context, args) => {
    const file = await readOfflineFile(context, args.file);
    const email = optional(args.user, parseEmail);
    const dry = args['dry-run'];
    if (file.berth === 'borrow-return') return await acceptReturn(context, file, dry);
    if (file.berth !== 'borrow-request') {
      throw new Failure('BORROW_FILE_INVALID', {
        message: 'This is a grant: it is installed on the machine that asked.',
        next: 'On that machine: `berth borrow install FILE`.',
      });
    }
    if (args.out !== undefined && (await context.files.exists(args.out))) throw fileExists(args.out);
    if (dry) return await wouldGrant(context, given({ request: file.token, email }));
    if (args.out === undefined) throw usage('--out is missing.', 'Say where the answer goes: --out FILE.');
    return await grant(context, file, args.out, email);
  },
});

async function wouldGrant(context: Context, asked: ParamsOf<'borrow.grant.preview'>): Promise<Answer> {
  const would = await withAdmin(context, (admin) => admin.call('borrow.grant.preview', asked));
  const { product, seats, device, user, freeAtMs } = would;
  const until = momentWords(freeAtMs, context.nowMs());
  const notes = [
    `Would lend ${seatWords(seats)} of ${product} to ${device.name} of ${user.email}; unless returned free ${until}.`,
    ...(device.enrols ? [`${device.name} would be enrolled for ${user.email}.`] : []),
    'Nothing was changed.',
  ];
  return { document: { dryRun: true, ...would }, text: '', notes };
}

async function grant(
  context: Context,
  { token }: OfflineFile<'borrow-request'>,
  out: string,
  email: string | undefined,
): Promise<Answer> {
  const parsed = parseToken('borrowRequest', token);
  if (!parsed.ok)
    throw new Failure('BORROW_FILE_INVALID', { message: `The request is not valid (${parsed.fault}).` });
  const { nonce, product, seats } = parsed.token.claims;
  const key = context.sdk.newIdempotencyKey();
  const granted = await withAdmin(context, (admin) =>
    admin.call('borrow.grant', given({ key, request: token, email })),
  );
  const { leases, entitlements, endorsements, freeAtMs, earlyReturn, device, user, server, organisation } =
    granted;
  const answer: OfflineFile<'borrow-grant'> = {
    berth: 'borrow-grant',
    version: 1,
    nonce,
    ...{
      server,
      organisation,
      user: { email: user.email },
      device,
      leases,
      entitlements,
      ...(endorsements === undefined ? {} : { endorsements }),
      freeAtMs,
      earlyReturn,
    },
  };
  await writeText(context, out, formatOfflineFile(answer), { mode: 0o600, exclusive: true });
  const until = momentWords(freeAtMs, context.nowMs());
  const notes = [
    `Lent ${seats} of ${product} to ${device.name} of ${user.email}; unless returned it is free ${until}.`,
    `Wrote ${out}. On that machine: berth borrow install ${out}`,
  ];
  return { document: { out, product, seats, device, user, freeAtMs, earlyReturn, leases }, text: '', notes };
}
