import nacl from 'tweetnacl';
import type { SigningKey } from '../host.js';

/** Ed25519 on 32-byte seeds and keys. Both implementations give the same bytes (RFC 8032 is deterministic). */
export interface Ed25519 {
  /** @param seed 32 bytes. */
  signingKey(seed: Uint8Array): SigningKey;
  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean;
}

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
