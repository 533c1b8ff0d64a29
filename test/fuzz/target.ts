import type { Random } from '../store/random.js';

/** One reader of ours and what must hold of it, whatever it is given. */
export interface Target {
  readonly name: string;
  /** Inputs are never longer: the limit of the reader itself, or what keeps a run short where it has none. */
  readonly maxBytes: number;
  /** Words of the format, for the mutations. */
  readonly words: readonly string[];
  /** Parts of the URLs of the scripts whose branches count as coverage. */
  readonly covers: readonly string[];
  /** An input from the grammar: near to what is valid, so that it gets behind the first check. */
  generate(random: Random): Uint8Array;
  /** Throws when something is not as it must be. Keeps nothing from one input to the next. */
  run(input: Uint8Array): void | Promise<void>;
}

export function pick<T>(random: Random, list: readonly T[]): T {
  return list[random(list.length)]!;
}

export const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8');
export const bytes = (written: string): Uint8Array => Buffer.from(written, 'utf8');

/** Where a reader has to do with numbers, these are the ones that go wrong. */
export const oddIntegers = [
  0,
  1,
  -1,
  2,
  7,
  255,
  256,
  65_535,
  65_536,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32,
  2 ** 53 - 1,
  2 ** 53,
  -(2 ** 53),
  1e21,
] as const;

/** And these are the texts. */
export const oddTexts = [
  '',
  ' ',
  '__proto__',
  'constructor',
  'toString',
  'a'.repeat(81),
  'a'.repeat(500),
  '\u0000',
  '\ud800',
  '\ufeff',
  'é',
  '👩‍👩‍👧',
  'İ@studio.example',
  'ANNA@STUDIO.EXAMPLE',
  '../../etc/passwd',
  '2026-11-28',
] as const;
