import type { Position } from './position.js';

/** Records whose hash is kept: 2 MiB. What clients show is seconds old, or as old as a borrow; those that came later show what those miss. */
export const KNOWN_RECORDS = 65_536;
const HASH_BYTES = 32;

/** The hashes of the last records of the journal, by sequence: whether what a client has seen is of this history (I10). */
export class KnownHashes {
  readonly #hashes = Buffer.alloc(KNOWN_RECORDS * HASH_BYTES);
  #first = 0;
  #last = 0;

  /** The next record. */
  note({ seq, hash }: Position): void {
    if (this.#last === 0) this.#first = seq;
    this.#hashes.write(hash, (seq % KNOWN_RECORDS) * HASH_BYTES, 'hex');
    this.#last = seq;
    this.#first = Math.max(this.#first, seq - KNOWN_RECORDS + 1);
  }

  /** `null`: the record is older than what is kept. @param head base64url */
  has(seq: number, head: string): boolean | null {
    if (seq > this.#last) return false;
    if (seq < this.#first || seq === 0) return null;
    const at = (seq % KNOWN_RECORDS) * HASH_BYTES;
    return this.#hashes.subarray(at, at + HASH_BYTES).toString('base64url') === head;
  }
}
