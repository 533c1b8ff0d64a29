import { type EntitlementClaims, errors, parseToken } from '@berth/protocol';
import { defineCommand } from '../command.js';
import { inspectEndorsement } from '../endorsement.js';
import { type ReadEntitlement, readEntitlement, type Validity, validityAt } from '../entitlement.js';
import { Failure, failureJson, failureText } from '../fail.js';
import { readText } from '../files.js';
import { readPublicKey } from '../keys.js';
import { fields } from '../output.js';
import { quote } from '../parse.js';
import { daysLeftWords, spanWords } from '../words.js';

export const vendorInspect = defineCommand({
  usage: 'inspect <file>',
  describe: 'Show what an entitlement or an endorsement says and whether its signature is good',
  positionals: { file: { type: 'string', demandOption: true, describe: 'entitlement; - for stdin' } },
  options: {
    'vendor-key': { type: 'string', describe: 'key the vendor must have, as text or file (vendor.pub)' },
  },
  examples: [
    ['berth vendor inspect render.ent', 'show it; its signature is checked with the key it names itself'],
    [
      'berth vendor inspect render.ent --vendor-key keys/vendor.pub',
      'and make sure that it is of this vendor',
    ],
  ],
  more: 'That it has expired is shown and is no failure.',
  exits: [
    [2, 'the file is no entitlement'],
    [4, 'the signature is bad, or of another vendor'],
  ],
  run: async (context, args) => {
    const pinned =
      args['vendor-key'] === undefined
        ? null
        : await readPublicKey(context, args['vendor-key'], '--vendor-key');
    const token = (await readText(context, args.file)).trim();
    if (parseToken('endorsement', token).ok) return inspectEndorsement(context, token, pinned);
    const read = readEntitlement(token);
    if (!read.ok) throw notEntitlement(args.file, read);
    const validity = validityAt(read.claims, context.nowMs());
    const failure = verdict(read, pinned);
    const document = {
      claims: read.claims,
      validity,
      signature: {
        verdict: read.signature,
        vendor: read.claims.iss,
        pinned: pinned !== null && failure === null,
      },
      ...(failure === null ? {} : { error: failureJson(failure) }),
    };
    // The claims are shown even when nothing may be believed: somebody has to find out what the file is.
    if (failure !== null) context.stderr.write(failureText(failure, context));
    const text = describe(read.claims, validity, verdictWords(read, pinned));
    return { document, text, exitCode: failure?.exitCode ?? 0 };
  },
});

type Readable = Extract<ReadEntitlement, { ok: true }>;

function verdict(read: Readable, pinned: string | null): Failure | null {
  if (read.signature === 'invalid') return new Failure('ENTITLEMENT_SIGNATURE');
  if (pinned === null || read.claims.iss === pinned) return null;
  return new Failure('VENDOR_MISMATCH', {
    message: `The entitlement is signed by ${read.claims.iss}, not by ${pinned}.`,
    next: 'Ask the vendor whose key you pin for the entitlement.',
  });
}

function verdictWords(read: Readable, pinned: string | null): string {
  if (read.signature === 'invalid') return 'BAD: not signed by the vendor it names';
  if (pinned === null) return 'good for the key it names; give --vendor-key to know whose that is';
  return read.claims.iss === pinned ? 'good, and of this vendor' : 'good, but of ANOTHER vendor';
}

function notEntitlement(file: string, read: Extract<ReadEntitlement, { ok: false }>): Failure {
  return new Failure('ENTITLEMENT_INVALID', {
    message: `${quote(file)} is not a valid entitlement (${read.fault}).`,
    next: errors.ENTITLEMENT_INVALID.next,
  });
}

function describe(claims: EntitlementClaims, validity: Validity, signature: string): string {
  const { display, borrow } = claims;
  return fields([
    ['id', `${claims.jti} rev ${claims.rev}`],
    ['replaces', claims.replaces],
    ['product', claims.product],
    ['seats', claims.seats],
    ['valid', `${validity.from} to ${validity.until} (${stateWords(validity)})`],
    ['share', claims.share],
    [
      'borrow',
      borrow === undefined ? 'no' : `${borrow.seats} seats, up to ${spanWords(borrow.maxSeconds * 1000)}`,
    ],
    ['early return', claims.earlyReturn],
    ['holder', claims.holder],
    ['credits', claims.credits],
    ['number', display.number],
    ['licence key', display.licenseKey],
    ['add-ons', display.addOns?.join(', ')],
    ['ordered from', display.orderedFrom],
    ['currency', display.currency],
    ['payment', display.paymentMethod],
    ['download', display.download],
    ['buy', display.buy],
    ['renew', display.renew],
    ['upgrade', display.upgrade],
    ['NFR', display.nfr === true ? 'not for resale' : undefined],
    ['vendor', claims.iss],
    ['server', claims.sub],
    ['signature', signature],
  ]);
}

function stateWords({ state, daysLeft }: Validity): string {
  if (state === 'expired') return 'EXPIRED';
  return state === 'future' ? 'not yet active' : `active, ${daysLeftWords(daysLeft)}`;
}
