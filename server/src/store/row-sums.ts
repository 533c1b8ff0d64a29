import { hash } from 'node:crypto';

/**
 * A checksum over all rows that one changed row changes without reading the others: the sum, modulo 2^48, of 48 bits of
 * SHA-256(key, NUL, value) for each row. It finds a lost, changed or extra row; it is no defence against someone who may
 * write the files.
 */
export class RowSums {
  readonly #sums = new Map<string, number>();
  #total = 0;

  /** Below 2^48. */
  get total(): number {
    return this.#total;
  }

  get count(): number {
    return this.#sums.size;
  }

  set(key: string, value: string): void {
    const sum = rowSum(key, value);
    this.#add(sum - (this.#sums.get(key) ?? 0));
    this.#sums.set(key, sum);
  }

  delete(key: string): void {
    this.#add(-(this.#sums.get(key) ?? 0));
    this.#sums.delete(key);
  }

  #add(difference: number): void {
    this.#total = (this.#total + difference + MODULUS) % MODULUS;
  }
}

/** A sum with one more row in it. */
export function withRow(total: number, key: string, value: string): number {
  return (total + rowSum(key, value)) % MODULUS;
}

/** 2^48: sums of three such numbers are still exact in a double. */
const MODULUS = 2 ** 48;
const HEX_DIGITS = 12;

/** What one row adds to the sum. */
export function rowSum(key: string, value: string): number {
  return Number.parseInt(hash('sha256', `${key}\0${value}`, 'hex').slice(0, HEX_DIGITS), 16);
}
