import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { strictly, type Verify } from '@berth/protocol';
import type { Signer } from './engine/issuer.js';

/** Of RFC 8410: what comes before the 32 bytes of a private key. */
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');

/** @param seed 32 bytes */
export function privateKeyOf(seed: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: 'der', type: 'pkcs8' });
}

/** Native Ed25519 with a cached key object: 65 us a signature (DESIGN 4). */
export function nativeSigner(privateKey: KeyObject): Signer {
  return (message) => sign(null, message, privateKey);
}

/** Native verification, as strict as PROTOCOL 4.1 asks. */
export const nativeVerify: Verify = strictly((publicKey, message, signature) => {
  const x = Buffer.from(publicKey).toString('base64url');
  try {
    return verify(
      null,
      message,
      createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' }),
      signature,
    );
  } catch {
    return false; // not a point on the curve
  }
});
