/**
 * Which words occur in a block of records, in 512 bytes: a Bloom filter. `mayHold` is never false for a word that was added; for one that
 * was not it is true about once in a thousand times at 200 words.
 */
export class WordSet {
  readonly #bits: Uint8Array;
  #size = 0;

  /** @param bits as `text` gave them */
  constructor(text?: string) {
    this.#bits = new Uint8Array(BYTES);
    if (text !== undefined) this.#bits.set(Buffer.from(text, 'base64').subarray(0, BYTES));
  }

  add(word: string): void {
    const bits = bitsOf(word);
    if (this.#has(bits)) return;
    this.#size += 1;
    for (const bit of bits) this.#bits[bit >> 3]! |= 1 << (bit & 7);
  }

  /** Words that were added, each once. */
  get size(): number {
    return this.#size;
  }

  mayHold(word: string): boolean {
    return this.#has(bitsOf(word));
  }

  #has(bits: readonly number[]): boolean {
    return bits.every((bit) => (this.#bits[bit >> 3]! & (1 << (bit & 7))) !== 0);
  }

  get text(): string {
    return Buffer.from(this.#bits).toString('base64');
  }
}

const BYTES = 512;
const PROBES = 4;

/** Two FNV-1a hashes make as many as are wanted (Kirsch and Mitzenmacher). */
function bitsOf(word: string): number[] {
  const step = hashOf(word, 0x9e3779b9) | 1;
  const first = hashOf(word, 0x811c9dc5);
  return Array.from({ length: PROBES }, (_, probe) => ((first + probe * step) >>> 0) % (BYTES * 8));
}

function hashOf(word: string, basis: number): number {
  let hash = basis;
  for (let at = 0; at < word.length; at += 1) hash = Math.imul(hash ^ word.charCodeAt(at), 0x01000193);
  // The low bits alone are picked: mix the high ones in.
  hash ^= hash >>> 15;
  return Math.imul(hash, 0x2c1b3c6d) >>> 0;
}
