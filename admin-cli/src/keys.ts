import { createHash } from 'node:crypto';
import {
  formatPublicKey,
  looksSecret,
  type PublicKeyText,
  parsePublicKey,
  parseSecretKey,
} from '@berth/protocol';
import type { Context } from './context.js';
import { Failure } from './fail.js';
import { readText } from './files.js';
import { quote } from './parse.js';

// Keys are accepted as text or as a file wherever one is asked (issue 2, part 3).

/** A public key given as `ed25519:…`, as a file that holds it, or as `-` for stdin. Canonical text. */
export async function readPublicKey(context: Context, given: string, option: string): Promise<PublicKeyText> {
  return publicKeyText(await textOf(context, given), option);
}

/**
 * The key of a server: as a public key, or as what `berth entitlement request --json` printed (`{ serverId, serverKey }`), as text or
 * in a file, passed unchanged.
 */
export async function readServerKey(context: Context, given: string, option: string): Promise<PublicKeyText> {
  const text = await textOf(context, given);
  if (!text.trimStart().startsWith('{')) return publicKeyText(text, option);
  const { serverKey, serverId } = serverFields(text);
  if (serverKey !== null) {
    const key = publicKeyText(serverKey, option);
    if (serverId !== null && derivedId.test(serverId) && serverId !== serverIdOf(key)) {
      throw new Failure('KEY_INVALID', {
        message: `${option}: its serverId ${quote(serverId)} and its serverKey are not of the same server.`,
        next: 'Give the output of `berth entitlement request --json` unchanged.',
      });
    }
    return key;
  }
  throw new Failure('KEY_INVALID', {
    message: `${option} holds JSON without a serverKey.`,
    next: 'Give the output of `berth entitlement request --json` unchanged.',
  });
}

/** The 32-byte seed of a secret key, from a file, stdin (`-`) or text. */
export async function readSecretKey(context: Context, given: string, option: string): Promise<Uint8Array> {
  const text = await textOf(context, given);
  const seed = parseSecretKey(text);
  if (seed !== null) return seed;
  throw new Failure('KEY_INVALID', {
    message:
      parsePublicKey(text) === null
        ? `${option} does not hold a secret key.`
        : `${option} holds a public key; signing needs the secret one.`,
    next: 'Give the file vendor.key that `berth vendor keygen` wrote.',
  });
}

/** True when an option holds the secret key itself, where other users of the computer can read it. */
export function isInlineSecret(given: string): boolean {
  return looksSecret(given);
}

async function textOf(context: Context, given: string): Promise<string> {
  const start = given.trimStart();
  const inline = start.startsWith('{') || start.startsWith('ed25519:') || looksSecret(given);
  return inline ? given : await readText(context, given);
}

function publicKeyText(text: string, option: string): PublicKeyText {
  const key = parsePublicKey(text);
  if (key !== null) return formatPublicKey(key);
  // The secret itself is never repeated, not even in the message that refuses it.
  throw new Failure('KEY_INVALID', {
    message: looksSecret(text)
      ? `${option} holds a secret key; a public one is asked, and the secret one must not leave its owner.`
      : `${option} does not hold a public key.`,
  });
}

function serverFields(text: string): { serverKey: string | null; serverId: string | null } {
  try {
    const value: unknown = JSON.parse(text);
    const fields = typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
    const textOrNull = (field: unknown) => (typeof field === 'string' ? field : null);
    return { serverKey: textOrNull(fields.serverKey), serverId: textOrNull(fields.serverId) };
  } catch {
    return { serverKey: null, serverId: null };
  }
}

/** As `berthd init` makes it of the key. */
const derivedId = /^srv-[0-9a-f]{16}$/;

function serverIdOf(key: PublicKeyText): string {
  return `srv-${createHash('sha256').update(parsePublicKey(key)!).digest('hex').slice(0, 16)}`;
}
