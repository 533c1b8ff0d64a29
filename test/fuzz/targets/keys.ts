import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import { decodeBase64Url, formatPublicKey, type Sign } from '@berth/protocol';

/** Fixed keys: the corpus holds what they signed. Never anybody's outside of tests. */
export interface FuzzKey {
  readonly text: string;
  readonly publicBytes: Uint8Array;
  readonly seed: Uint8Array;
  readonly sign: Sign;
}

function keyOf(fill: number): FuzzKey {
  const seed = new Uint8Array(32).fill(fill);
  const pkcs8 = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]);
  const key: KeyObject = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' });
  const publicBytes = decodeBase64Url(createPublicKey(key).export({ format: 'jwk' }).x!)!;
  return {
    text: formatPublicKey(publicBytes),
    publicBytes,
    seed,
    sign: (message) => new Uint8Array(sign(null, message, key)),
  };
}

export const fuzzKeys = {
  vendor: keyOf(1),
  otherVendor: keyOf(2),
  server: keyOf(3),
  device: keyOf(4),
  admin: keyOf(5),
};
export type KeyName = keyof typeof fuzzKeys;
