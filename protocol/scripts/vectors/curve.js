// Edwards25519 in BigInts, slowly and from the text of RFC 8032: a second implementation, and the only way to make the edge cases that
// an honest signer never produces. Not for keys that matter.
import { createHash } from 'node:crypto';

export const P = 2n ** 255n - 19n;
export const L = 2n ** 252n + 27742317777372353535851937790883648493n;

const mod = (a, m = P) => ((a % m) + m) % m;

function power(base, exponent) {
  let [result, square] = [1n, mod(base)];
  for (let e = exponent; e > 0n; e >>= 1n) {
    if (e & 1n) result = mod(result * square);
    square = mod(square * square);
  }
  return result;
}

const invert = (a) => power(a, P - 2n);
const D = mod(-121665n * invert(121666n));
const SQRT_M1 = power(2n, (P - 1n) / 4n);

/** The x of a given y and sign, or null when no point has it (RFC 8032 5.1.3, but x = 0 with sign 1 is taken as x = 0). */
function xOf(y, sign) {
  const square = mod((y * y - 1n) * invert(D * y * y + 1n));
  let x = power(square, (P + 3n) / 8n);
  if (mod(x * x - square) !== 0n) x = mod(x * SQRT_M1);
  if (mod(x * x - square) !== 0n) return null;
  return Number(x & 1n) === sign ? x : mod(-x);
}

export function add(a, b) {
  const k = mod(D * a.x * b.x * a.y * b.y);
  return {
    x: mod((a.x * b.y + b.x * a.y) * invert(1n + k)),
    y: mod((a.y * b.y + a.x * b.x) * invert(1n - k)),
  };
}

export const IDENTITY = { x: 0n, y: 1n };

export function multiply(scalar, point) {
  let [sum, double] = [IDENTITY, point];
  for (let s = scalar; s > 0n; s >>= 1n) {
    if (s & 1n) sum = add(sum, double);
    double = add(double, double);
  }
  return sum;
}

const baseY = mod(4n * invert(5n));
export const BASE = { x: xOf(baseY, 0), y: baseY };

/** A number as 32 bytes, little-endian. */
export function littleEndian(n) {
  return Buffer.from(n.toString(16).padStart(64, '0'), 'hex').reverse();
}

export function fromLittleEndian(bytes) {
  return BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`);
}

export function encodePoint({ x, y }) {
  return littleEndian(y | ((x & 1n) << 255n));
}

/** A point of order 8; its multiples are all points of small order. */
export function torsionPoint() {
  for (let y = 2n; ; y++) {
    const x = xOf(y, 0);
    if (x === null) continue;
    const point = multiply(L, { x, y });
    if (multiply(4n, point).y !== 1n) return point;
  }
}

/** A y that no point of the curve has. */
export function offCurve() {
  for (let y = 2n; ; y++) if (xOf(y, 0) === null) return littleEndian(y);
}

/** The secret scalar of a seed (RFC 8032 5.1.5). */
export function secretScalar(seed) {
  const bytes = createHash('sha512').update(seed).digest().subarray(0, 32);
  bytes[0] &= 0xf8;
  bytes[31] = (bytes[31] & 0x7f) | 0x40;
  return fromLittleEndian(bytes);
}

/** h = SHA-512(R || A || message) mod L. */
export function challenge(r, a, message) {
  return mod(fromLittleEndian(createHash('sha512').update(r).update(a).update(message).digest()), L);
}
