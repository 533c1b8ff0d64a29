import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { type Ed25519, portableEd25519 } from '../portable/ed25519.js';

// RFC 8410: everything before the 32 bytes of a seed or public key in DER.
const seedPrefix = Buffer.from('302e020100300506032b657004220420', 'hex');
const publicPrefix = Buffer.from('302a300506032b6570032100', 'hex');

/** OpenSSL's: 0.1 ms a signature. */
export const nativeEd25519: Ed25519 = {
  signingKey(seed) {
    const key = createPrivateKey({ key: Buffer.concat([seedPrefix, seed]), format: 'der', type: 'pkcs8' });
    return { publicKey: rawPublicKey(key), sign: (message) => new Uint8Array(sign(null, message, key)) };
  },
  verify(publicKey, message, signature) {
    try {
      return verify(null, message, publicKeyOf(publicKey), signature);
    } catch {
      // Not a point on the curve.
      return false;
    }
  },
};

/** Keys that were read before: a plugin verifies with those of its server and vendors, and to read one costs more than to verify with it. */
const known = new Map<string, KeyObject>();
const KNOWN = 512;

/** @throws when it is not a point on the curve */
function publicKeyOf(bytes: Uint8Array): KeyObject {
  const name = Buffer.from(bytes).toString('latin1');
  const found = known.get(name);
  if (found !== undefined) return found;
  const key = createPublicKey({ key: Buffer.concat([publicPrefix, bytes]), format: 'der', type: 'spki' });
  if (known.size >= KNOWN) known.clear();
  known.set(name, key);
  return key;
}

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
