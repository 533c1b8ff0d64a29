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

/** So many signatures are known by their bytes; then it begins anew. */
const KNOWN = 50_000;

/** The same verdicts, but what has verified once is not computed again: the auditor hears what every client has heard. */
export function rememberingCrypto({ signingKey, verify }: SimCrypto): SimCrypto {
  const known = new Set<string>();
  return {
    signingKey: (seed) => signingKey(seed),
    verify: (publicKey, message, signature) => {
      const name = Buffer.concat([publicKey, signature, message]).toString('latin1');
      if (known.has(name)) return true;
      const isGood = verify(publicKey, message, signature);
      if (known.size >= KNOWN) known.clear();
      if (isGood) known.add(name);
      return isGood;
    },
  };
}

const WORDS = 16;

/** 64 bytes that follow from the key and the message: four lanes of multiply and mix, of four words each. Not a cryptographic hash. */
function fastSignature(publicKey: Uint8Array, message: Uint8Array): Uint8Array {
  let [a, b, c, d] = [0x9e3779b9, 0x85ebca6b, 0xc2b2ae35, 0x27d4eb2f];
  for (const bytes of [publicKey, message]) {
    for (let at = 0; at < bytes.length; at++) {
      const byte = bytes[at]!;
      a = Math.imul(a ^ byte, 0x01000193);
      b = Math.imul(b ^ byte ^ (a >>> 15), 0x85ebca6b);
      c = (Math.imul(c, 31) + byte) | 0;
      d = Math.imul(d ^ (b >>> 13), 0xc2b2ae35) ^ c;
    }
    a = Math.imul(a ^ bytes.length, 0x27d4eb2f);
  }
  const words = new Uint32Array(WORDS);
  for (let at = 0; at < WORDS; at++) {
    a = Math.imul(a ^ (a >>> 16) ^ b, 0x85ebca6b);
    b = Math.imul(b ^ (b >>> 13) ^ c, 0xc2b2ae35);
    c = Math.imul(c ^ (c >>> 16) ^ d, 0x27d4eb2f);
    d = (d ^ (d >>> 15) ^ a) + at;
    words[at] = a ^ d;
  }
  const signature = new Uint8Array(words.buffer);
  signature[31]! &= 0x3f;
  // S below the order of the group.
  signature[63]! &= 0x0f;
  return signature;
}
