import { encodeBase64Url } from '@berth/protocol';
import type { Host } from './host.js';

/** Fresh idempotency key for a changing request: 132 bits, so that two never meet (I7). */
export function newKey(host: Host): string {
  return encodeBase64Url(host.randomBytes(18));
}

/** A nonce as the protocol wants it: 128 bits. */
export function newNonce(host: Host): string {
  return encodeBase64Url(host.randomBytes(16));
}

/** A number in [low, high), evenly. For jitter only. */
export function randomBetween(host: Host, low: number, high: number): number {
  const [a, b, c] = host.randomBytes(3);
  const fraction = ((a! << 16) | (b! << 8) | c!) / 0x1_00_00_00;
  return low + (high - low) * fraction;
}
