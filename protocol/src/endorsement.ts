import { strictly } from './ed25519-strict.js';
import { parsePublicKey } from './keys.js';
import { limits } from './limits.js';
import type { EndorsementClaims } from './schemas.js';
import { parseToken, type TokenFault, type Verify } from './tokens.js';

// How a vendor changes its key: the old key signs the new one (PROTOCOL 4.8).

export type EndorsementResult =
  | { ok: true; claims: EndorsementClaims }
  | { ok: false; fault: TokenFault | 'SIGNATURE' | 'SAME_KEY' };

/** An endorsement in strict form, signed by the key that it names as its issuer. Whether that key may endorse is another question. */
export function verifyEndorsement(text: string, verify: Verify): EndorsementResult {
  const parsed = parseToken('endorsement', text);
  if (!parsed.ok) return parsed;
  const { claims, signed, signature } = parsed.token;
  if (claims.iss === claims.sub) return { ok: false, fault: 'SAME_KEY' };
  const issuer = parsePublicKey(claims.iss);
  if (issuer === null || !strictly(verify)(issuer, signed, signature))
    return { ok: false, fault: 'SIGNATURE' };
  return { ok: true, claims };
}

export function endorses({ products }: EndorsementClaims, product: string): boolean {
  return products === undefined || products.includes(product);
}

/**
 * True when one of `pinned` has endorsed `key` for the product, itself or through up to `limits.endorsementChain` endorsements. One that
 * has not strict form, does not verify or names other products counts for nothing.
 * @param pinned, key as key text
 */
export function isEndorsed(
  key: string,
  product: string,
  pinned: ReadonlySet<string>,
  endorsements: readonly string[],
  verify: Verify,
): boolean {
  const good = endorsements.slice(0, limits.endorsementsRead).flatMap((text) => {
    const result = verifyEndorsement(text, verify);
    return result.ok && endorses(result.claims, product) ? [result.claims] : [];
  });
  const reached = new Set([key]);
  for (let steps = 0; steps < limits.endorsementChain; steps++) {
    // Of this step only: what it reaches is a step further away.
    const from = new Set(reached);
    for (const { iss, sub } of good) if (from.has(sub)) reached.add(iss);
    if ([...reached].some((each) => pinned.has(each))) return true;
  }
  return false;
}
