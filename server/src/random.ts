import { randomFillSync } from 'node:crypto';

// Lower-case letters and digits without the look-alikes i, l, o and u: an id is read out on the phone and typed.
const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';

/** Asked of the system at once: it charges for the call, not for the bytes. */
const POOL_BYTES = 4096;
const pool = Buffer.alloc(POOL_BYTES);
let taken = POOL_BYTES;

/** A fresh id: the letter and 16 characters of 5 random bits each. */
export function randomId(letter: string): string {
  let id = letter;
  for (const byte of fresh(16)) id += alphabet[byte & 31];
  return id;
}

export function randomText(bytes: number): string {
  return fresh(bytes).toString('base64url');
}

/** Random bytes that nobody had and nobody will have; gone from memory when the pool is filled anew. */
function fresh(bytes: number): Buffer {
  if (bytes > POOL_BYTES) return randomFillSync(Buffer.alloc(bytes));
  if (taken + bytes > POOL_BYTES) {
    randomFillSync(pool);
    taken = 0;
  }
  taken += bytes;
  return pool.subarray(taken - bytes, taken);
}
