const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
/** Of each value, the code of its character. */
const codes = Uint8Array.from(alphabet, (character) => character.charCodeAt(0));
const NO_VALUE = 64;
/** Of each code below 128, the value. */
const values = new Uint8Array(128).fill(NO_VALUE);
for (const [value, code] of codes.entries()) values[code] = value;
/** Bytes encoded at once, a multiple of 3: so many characters at most are arguments of one call. */
const CHUNK_BYTES = 6144;

/** Encodes bytes as base64url without padding (RFC 4648 section 5). */
export function encodeBase64Url(bytes: Uint8Array): string {
  if (bytes.length <= CHUNK_BYTES) return encodeChunk(bytes);
  let text = '';
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES)
    text += encodeChunk(bytes.subarray(at, at + CHUNK_BYTES));
  return text;
}

function encodeChunk(bytes: Uint8Array): string {
  const { length } = bytes;
  const characters = new Array<number>(Math.ceil((length * 4) / 3));
  let at = 0;
  for (let i = 0; i < length; i += 3) {
    // Past the end an array of bytes gives undefined, and that is 0 here.
    const group = (bytes[i]! << 16) | (bytes[i + 1]! << 8) | bytes[i + 2]!;
    characters[at++] = codes[group >> 18]!;
    characters[at++] = codes[(group >> 12) & 63]!;
    if (i + 1 < length) characters[at++] = codes[(group >> 6) & 63]!;
    if (i + 2 < length) characters[at++] = codes[group & 63]!;
  }
  return String.fromCharCode.apply(null, characters);
}

/**
 * Decodes canonical base64url: no padding, no other characters, unused bits zero. Anything else is `null`, so that one
 * value has one spelling (PROTOCOL 4.1).
 */
export function decodeBase64Url(text: string): Uint8Array | null {
  const remainder = text.length % 4;
  if (remainder === 1) return null;
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4));
  let [buffer, bits, at] = [0, 0, 0];
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    const value = code < 128 ? values[code]! : NO_VALUE;
    if (value === NO_VALUE) return null;
    buffer = ((buffer << 6) | value) & 0xffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes[at++] = (buffer >> bits) & 0xff;
    }
  }
  return (buffer & ((1 << bits) - 1)) === 0 ? bytes : null;
}

const encoder = new TextEncoder();
const strictDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export function encodeUtf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Decodes UTF-8; `null` when the bytes are not valid UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string | null {
  try {
    return strictDecoder.decode(bytes);
  } catch {
    return null;
  }
}

/** Each part preceded by its length as a 32-bit big-endian integer, so that no two lists of parts read the same. */
export function lengthPrefixed(parts: readonly Uint8Array[]): Uint8Array {
  const total = parts.reduce((sum, part) => sum + 4 + part.length, 0);
  const bytes = new Uint8Array(total);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const part of parts) {
    view.setUint32(at, part.length);
    bytes.set(part, at + 4);
    at += 4 + part.length;
  }
  return bytes;
}
