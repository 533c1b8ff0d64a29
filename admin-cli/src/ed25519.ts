import { createPrivateKey, createPublicKey, randomBytes, sign, verify } from 'node:crypto';
import { decodeBase64Url, encodeBase64Url, strictly, type Verify } from '@berth/protocol';

// Ed25519 by the host's own cryptography: the vendor's root key never passes through anything else (DESIGN 4).

/** What precedes the 32-byte seed in a PKCS #8 private key (RFC 8410 section 7). */
const pkcs8Prefix = Buffer.from('302e020100300506032b657004220420', 'hex');

/** 32 bytes from the system's random source. */
export function newSeed(): Uint8Array {
  return new Uint8Array(randomBytes(32));
}

/** The 32-byte public key of a seed. */
export function publicKeyOf(seed: Uint8Array): Uint8Array {
  const { x } = createPublicKey(privateKey(seed)).export({ format: 'jwk' });
  const bytes = decodeBase64Url(x ?? '');
  if (bytes?.length !== 32) throw new Error('node:crypto gave no Ed25519 public key');
  return bytes;
}

export function signWith(seed: Uint8Array): (message: Uint8Array) => Uint8Array {
  const key = privateKey(seed);
  return (message) => new Uint8Array(sign(null, message, key));
}

/** Strict, so that it says what every server and plugin will say (PROTOCOL 4.1). */
export const verifyStrictly: Verify = strictly((publicKey, message, signature) => {
  try {
    const jwk = { kty: 'OKP', crv: 'Ed25519', x: encodeBase64Url(publicKey) };
    return verify(null, message, createPublicKey({ key: jwk, format: 'jwk' }), signature);
  } catch {
    return false; // Not a point on the curve: nothing verifies under it.
  }
});

function privateKey(seed: Uint8Array) {
  const key = Buffer.concat([pkcs8Prefix, seed]);
  return createPrivateKey({ key, format: 'der', type: 'pkcs8' });
}
