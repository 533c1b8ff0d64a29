import { parseToken, verifyEndorsement } from '@berth/protocol';
import type { Context } from './context.js';
import { verifyStrictly } from './ed25519.js';
import { Failure, failureJson, failureText } from './fail.js';
import { fields } from './output.js';

/** `vendor inspect` of an endorsement. @param pinned the key that must have signed it, or `null` */
export function inspectEndorsement(context: Context, token: string, pinned: string | null) {
  const parsed = parseToken('endorsement', token);
  if (!parsed.ok) throw new Failure('ENDORSEMENT_INVALID');
  const { claims } = parsed.token;
  const valid = verifyEndorsement(token, verifyStrictly).ok;
  const failure = verdict(valid, claims.iss, pinned);
  if (failure !== null) context.stderr.write(failureText(failure, context));
  const document = {
    type: 'endorsement',
    claims,
    signature: {
      verdict: valid ? 'valid' : 'invalid',
      vendor: claims.iss,
      pinned: pinned !== null && failure === null,
    },
    ...(failure === null ? {} : { error: failureJson(failure) }),
  };
  const text = fields([
    ['type', 'endorsement of a new vendor key'],
    ['old key', claims.iss],
    ['new key', claims.sub],
    ['products', claims.products?.join(', ') ?? 'every product of the old key'],
    ['signed', new Date(claims.iat * 1000).toISOString()],
    ['signature', signatureWords(valid, claims.iss, pinned)],
  ]);
  return { document, text, exitCode: failure?.exitCode ?? 0 };
}

function signatureWords(valid: boolean, vendor: string, pinned: string | null): string {
  if (!valid) return 'BAD: not signed by the old key it names';
  if (pinned === null) return 'good for the old key; give --vendor-key to know whose that is';
  return vendor === pinned ? 'good, and of this vendor' : 'good, but of ANOTHER vendor';
}

function verdict(valid: boolean, vendor: string, pinned: string | null): Failure | null {
  if (!valid)
    return new Failure('ENDORSEMENT_INVALID', {
      message: 'The endorsement is not signed by the old key that it names.',
    });
  if (pinned === null || vendor === pinned) return null;
  return new Failure('VENDOR_MISMATCH', {
    message: `The endorsement is signed by ${vendor}, not by ${pinned}.`,
  });
}
