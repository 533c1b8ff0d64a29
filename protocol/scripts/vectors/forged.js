// Tokens whose signature only a loose verifier accepts.
import {
  BASE,
  challenge,
  encodePoint,
  fromLittleEndian,
  L,
  littleEndian,
  multiply,
  torsionPoint,
} from './curve.js';
import { base64Url, headers, sha256 } from './keys.js';

const r = fromLittleEndian(sha256('berth vector r')) % L;
const R = encodePoint(multiply(r, BASE));
const smallKey = encodePoint(torsionPoint());

/** The public key of order 8. Nobody owns it; everybody can sign with it. */
export const smallKeyText = `ed25519:${base64Url(smallKey)}`;

/** A token "signed" under that key: R = [r]B, S = r, and claims tried until [h]A vanishes. @param claimsOf claims for each try */
export function forgedToken(type, claimsOf) {
  for (let n = 1; ; n++) {
    const signed = `${base64Url(headers[type])}.${base64Url(JSON.stringify(claimsOf(n)))}`;
    if (challenge(R, smallKey, signed) % 8n === 0n) {
      return `${signed}.${base64Url(Buffer.concat([R, littleEndian(r)]))}`;
    }
  }
}

/** The same signature with S + L, which tweetnacl takes for the same. */
export function withLargeS(token) {
  const [header, payload, tail] = token.split('.');
  const bytes = Buffer.from(tail, 'base64url');
  const large = littleEndian(fromLittleEndian(bytes.subarray(32)) + L);
  return `${header}.${payload}.${base64Url(Buffer.concat([bytes.subarray(0, 32), large]))}`;
}
