import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import nacl from 'tweetnacl';
import type { SigningKey } from '../host.js';

// RFC 8410: everything before the 32 bytes of a seed or public key in DER.
const seedPrefix = Buffer.from('302e020100300506032b657004220420', 'hex');
const publicPrefix = Buffer.from('302a300506032b6570032100', 'hex');

/** Ed25519 on 32-byte seeds and keys. Both implementations give the same bytes (RFC 8032 is deterministic). */
export interface Ed25519 {
  /** @param seed 32 bytes. */
  signingKey(seed: Uint8Array): SigningKey;
  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean;
}

/** OpenSSL's: 0.1 ms a signature. */
export const nativeEd25519: Ed25519 = {
  signingKey(seed) {
    const key = createPrivateKey({ key: Buffer.concat([seedPrefix, seed]), format: 'der', type: 'pkcs8' });
    return { publicKey: rawPublicKey(key), sign: (message) => new Uint8Array(sign(null, message, key)) };
  },
  verify(publicKey, message, signature) {
    try {
      const key = createPublicKey({
        key: Buffer.concat([publicPrefix, publicKey]),
        format: 'der',
        type: 'spki',
      });
      return verify(null, message, key, signature);
    } catch {
      // Not a point on the curve.
      return false;
    }
  },
};

/** Ten milliseconds a signature, but it runs wherever JavaScript does: some embedders build Node without Ed25519. */
export const portableEd25519: Ed25519 = {
  signingKey(seed) {
    const { publicKey, secretKey } = nacl.sign.keyPair.fromSeed(seed);
    return { publicKey, sign: (message) => nacl.sign.detached(message, secretKey) };
  },
  verify(publicKey, message, signature) {
    const shaped = publicKey.length === 32 && signature.length === 64;
    return shaped && nacl.sign.detached.verify(message, signature, publicKey);
  },
};

/** The native one where it works. */
export function bestEd25519(): Ed25519 {
  try {
    const key = nativeEd25519.signingKey(new Uint8Array(32));
    const message = new Uint8Array(1);
    return nativeEd25519.verify(key.publicKey, message, key.sign(message)) ? nativeEd25519 : portableEd25519;
  } catch {
    return portableEd25519;
  }
}

function rawPublicKey(key: KeyObject): Uint8Array {
  const der = createPublicKey(key).export({ format: 'der', type: 'spki' });
  return new Uint8Array(der.subarray(publicPrefix.length));
}
