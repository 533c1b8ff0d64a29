import { encodeUtf8 } from '@berth/protocol';

/** The same bytes in each run, different for each name. For tests: whoever knows the name knows them. */
export function bytesOf(name: string, count: number): Uint8Array {
  // FNV-1a for the seed, xorshift for the rest.
  let state = 0x811c9dc5;
  for (const byte of encodeUtf8(name)) state = Math.imul(state ^ byte, 0x01000193);
  const bytes = new Uint8Array(count);
  for (let at = 0; at < count; at++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[at] = state >>> 11;
  }
  return bytes;
}
