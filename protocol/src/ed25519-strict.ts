import type { Verify } from './tokens.js';

/**
 * Makes any Ed25519 verification as strict as PROTOCOL 4.1 asks, so that every host gives the same verdict. Both ends
 * verify through this and never call `verify` directly: tweetnacl and OpenSSL before 3.5 take small-order keys, tweetnacl also
 * S >= L (the vectors in `ed25519.json` show both).
 */
export function strictly(verify: Verify): Verify {
  return (publicKey, message, signature) =>
    isStrictPoint(publicKey) && isStrictSignature(signature) && verify(publicKey, message, signature);
}

/** True for 32 bytes that encode a y below p and none of the eight points whose order divides 8. Not: that they are on the curve. */
export function isStrictPoint(bytes: Uint8Array): boolean {
  if (bytes.length !== 32) return false;
  // A copy whatever they are: `slice` of a Buffer is a view, and the bytes belong to the caller.
  const y = Uint8Array.from(bytes);
  y[31]! &= 0x7f;
  return isBelow(y, fieldPrime) && !smallOrderY.some((small) => isEqual(y, small));
}

/** True for 64 bytes R || S with a strict R and S < L: a signature has one spelling. */
export function isStrictSignature(bytes: Uint8Array): boolean {
  return (
    bytes.length === 64 && isStrictPoint(bytes.subarray(0, 32)) && isBelow(bytes.subarray(32), groupOrder)
  );
}

/** Compares two numbers of 32 bytes each, little-endian. Public data: nothing here need run in constant time. */
function isBelow(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 31; i >= 0; i--) {
    if (a[i] !== b[i]) return a[i]! < b[i]!;
  }
  return false;
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < 32; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** p = 2^255 - 19, little-endian. */
const fieldPrime = fromHex('edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f');
/** L = 2^252 + 27742317777372353535851937790883648493, little-endian. */
const groupOrder = fromHex('edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010');
/** y of the eight points of small order; the sign of x makes two points of most of them. */
const smallOrderY = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
].map(fromHex);

function fromHex(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g)!, (byte) => Number.parseInt(byte, 16));
}
