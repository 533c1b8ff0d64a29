import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import { strictly, type Verify } from '@berth/protocol';
import nacl from 'tweetnacl';

// Two Ed25519 implementations that share no code: OpenSSL behind node:crypto, which the server uses, and tweetnacl, which the SDK falls back
// to. Each must give the verdict of the vectors.

const SPKI = Buffer.from('302a300506032b6570032100', 'hex');
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');

const nodeVerify: Verify = (publicKey, message, signature) => {
  if (publicKey.length !== 32) return false;
  const key = createPublicKey({ key: Buffer.concat([SPKI, publicKey]), format: 'der', type: 'spki' });
  return verify(null, message, key, signature);
};

const naclVerify: Verify = (publicKey, message, signature) =>
  publicKey.length === 32 &&
  signature.length === 64 &&
  nacl.sign.detached.verify(message, signature, publicKey);

/** As they come: more is accepted than may be. */
export const loose: Readonly<Record<string, Verify>> = { 'node:crypto': nodeVerify, tweetnacl: naclVerify };

/** As both ends use them. */
export const verifiers: readonly (readonly [string, Verify])[] = Object.entries(loose).map(
  ([name, verifier]) => [name, strictly(verifier)],
);

export function nodeSign(seed: Uint8Array, message: Uint8Array): Uint8Array {
  const key = createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: 'der', type: 'pkcs8' });
  return new Uint8Array(sign(null, message, key));
}

export function naclSign(seed: Uint8Array, message: Uint8Array): Uint8Array {
  return nacl.sign.detached(message, nacl.sign.keyPair.fromSeed(seed).secretKey);
}
