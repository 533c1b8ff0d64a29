import { randomBytes } from 'node:crypto';

// Lower-case letters and digits without the look-alikes i, l, o and u: an id is read out on the phone and typed.
const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';

/** A fresh id: the letter and 16 characters of 5 random bits each. */
export function randomId(letter: string): string {
  let id = letter;
  for (const byte of randomBytes(16)) id += alphabet[byte & 31];
  return id;
}

export function randomText(bytes: number): string {
  return randomBytes(bytes).toString('base64url');
}
