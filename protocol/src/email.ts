import { limits } from './limits.js';
import { isMisleading } from './plain-text.js';

const atom = /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+$/;
const label = /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/;

/**
 * The canonical form of an e-mail address: trimmed and lower case (PRODUCT.md: users are identified by e-mail,
 * case-insensitive). `null` when it is not one: exactly one `@`, a dot-atom of at most 64 characters before it, a domain of at
 * least two labels after it. Non-ASCII addresses (RFC 6531) are refused: two spellings that look the same must not be
 * two people.
 */
export function canonicalEmail(text: string): string | null {
  const typed = text.trim();
  // Before lower-casing: that turns the Kelvin sign into an ASCII k.
  if (!/^[\x21-\x7e]+$/.test(typed)) return null;
  const email = typed.toLowerCase();
  const [local, domain, ...rest] = email.split('@');
  if (local === undefined || domain === undefined || rest.length > 0 || email.length > limits.emailChars)
    return null;
  if (
    local.length > 64 ||
    !atom.test(local) ||
    local.startsWith('.') ||
    local.endsWith('.') ||
    local.includes('..')
  ) {
    return null;
  }
  const labels = domain.split('.');
  return labels.length >= 2 && labels.every((part) => label.test(part)) ? email : null;
}

/**
 * A name as it is kept: trimmed, of at most 120 characters, without control characters and those that turn the direction of writing; empty means that there is none. `null` when it
 * has other characters or would be run as a formula by the spreadsheet that later opens an export (leading `= + - @`).
 */
export function canonicalName(text: string): string | null {
  const name = text.trim();
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are exactly what is refused.
  if (name.length > limits.nameChars || /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(name)) return null;
  return isMisleading(name) || /^[=+\-@]/.test(name) ? null : name;
}
