import { decodeBase64Url, encodeBase64Url } from './bytes.js';

/** A public key as people and files write it: `ed25519:` and 32 bytes in base64url. */
export type PublicKeyText = string;

const publicPrefix = 'ed25519:';
const secretPrefix = 'ed25519-secret:';

/** @param key 32 bytes of an Ed25519 public key (RFC 8032). */
export function formatPublicKey(key: Uint8Array): PublicKeyText {
  return publicPrefix + encodeBase64Url(key);
}

/** The 32 bytes of a public key, or `null` when the text is not `ed25519:<43 characters>`. White space around it is allowed. */
export function parsePublicKey(text: string): Uint8Array | null {
  return parsePrefixed(text, publicPrefix);
}

/** @param seed the 32-byte Ed25519 seed. Only ever written to a file with mode 0600. */
export function formatSecretKey(seed: Uint8Array): string {
  return secretPrefix + encodeBase64Url(seed);
}

/** The 32-byte seed, or `null` when the text is not `ed25519-secret:<43 characters>`. */
export function parseSecretKey(text: string): Uint8Array | null {
  return parsePrefixed(text, secretPrefix);
}

/** True for text that holds a secret key: callers refuse it where a public key is asked, before it is printed anywhere. */
export function looksSecret(text: string): boolean {
  return text.trimStart().startsWith(secretPrefix);
}

function parsePrefixed(text: string, prefix: string): Uint8Array | null {
  const trimmed = text.trim();
  if (!trimmed.startsWith(prefix)) return null;
  const bytes = decodeBase64Url(trimmed.slice(prefix.length));
  return bytes?.length === 32 ? bytes : null;
}
