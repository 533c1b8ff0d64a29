import { type Random as Below, seeded } from '../store/random.js';

/** The dice of one part of a simulation: parts that throw their own do not disturb each other when one of them changes. */
export class Dice {
  readonly below: Below;

  constructor(seed: number, name: string) {
    let mixed = seed >>> 0;
    for (const letter of name) mixed = Math.imul(mixed ^ letter.codePointAt(0)!, 0x01000193) >>> 0;
    this.below = seeded(mixed);
  }

  chance(probability: number): boolean {
    return this.below(1_000_000) < probability * 1_000_000;
  }

  /** An integer, both ends included. */
  between(least: number, most: number): number {
    return least + this.below(most - least + 1);
  }

  /** Around that mean: mostly less, sometimes much more. */
  about(mean: number): number {
    return -Math.log(1 - this.below(1_000_000) / 1_000_001) * mean;
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)]!;
  }

  bytes(count: number): Uint8Array {
    const bytes = new Uint8Array(count);
    for (let at = 0; at < count; at++) bytes[at] = this.below(256);
    return bytes;
  }
}
