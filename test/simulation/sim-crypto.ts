import { hash } from 'node:crypto';
import type { SigningKey } from '@berth/client';
import type { Verify } from '@berth/protocol';

// A signer that costs a microsecond: anybody who knows the public key can sign, but a signature still belongs to one key and one message. Its
// keys and signatures have the form that strict verification asks for (PROTOCOL 4.1).

export interface SimCrypto {
  signingKey(seed: Uint8Array): SigningKey;
  readonly verify: Verify;
}

export const fastCrypto: SimCrypto = {
  signingKey(seed) {
    const publicKey = hash('sha256', seed, 'buffer');
    // y below p, and of no small order.
    publicKey[31]! &= 0x3f;
    return { publicKey: new Uint8Array(publicKey), sign: (message) => fastSignature(publicKey, message) };
  },
  verify: (publicKey, message, signature) =>
    Buffer.compare(fastSignature(publicKey, message), signature) === 0,
};

function fastSignature(publicKey: Uint8Array, message: Uint8Array): Uint8Array {
  const digest = hash('sha512', Buffer.concat([publicKey, message]), 'buffer');
  digest[31]! &= 0x3f;
  // S below the order of the group.
  digest[63]! &= 0x0f;
  return digest;
}
