import type { Random } from '../store/random.js';
import { oddIntegers, oddTexts, pick, type Target } from './target.js';

type Mutation = (input: Buffer, random: Random, target: Target, other: Uint8Array) => Buffer;

/** One to four changes, most of them small, never beyond what the target takes. */
export function mutate(input: Uint8Array, random: Random, target: Target, other: Uint8Array): Uint8Array {
  let mutant: Buffer = Buffer.from(input);
  for (let times = 1 + random(4); times > 0; times--)
    mutant = pick(random, mutations)(mutant, random, target, other);
  return mutant.subarray(0, target.maxBytes);
}

const mutations: readonly Mutation[] = [
  flipBit,
  setByte,
  insertWord,
  replaceNumber,
  cut,
  repeat,
  splice,
  swapText,
];

function flipBit(input: Buffer, random: Random): Buffer {
  if (input.length > 0) input[random(input.length)]! ^= 1 << random(8);
  return input;
}

function setByte(input: Buffer, random: Random): Buffer {
  if (input.length > 0)
    input[random(input.length)] = pick(random, [0, 0x0a, 0x20, 0x22, 0x7f, 0x80, 0xc0, 0xff]);
  return input;
}

function insertWord(input: Buffer, random: Random, { words }: Target): Buffer {
  const at = random(input.length + 1);
  const word = Buffer.from(pick(random, random(3) === 0 ? oddTexts : words));
  return Buffer.concat([
    input.subarray(0, at),
    word,
    input.subarray(at + (random(2) === 0 ? word.length : 0)),
  ]);
}

/** A run of digits becomes another number. */
function replaceNumber(input: Buffer, random: Random): Buffer {
  const all = [...input.toString('latin1').matchAll(/-?\d+/g)];
  if (all.length === 0) return input;
  const { index, 0: found } = pick(random, all);
  const number = Buffer.from(String(pick(random, oddIntegers)));
  return Buffer.concat([input.subarray(0, index), number, input.subarray(index + found.length)]);
}

function cut(input: Buffer, random: Random): Buffer {
  const from = random(input.length + 1);
  const length = random(2) === 0 ? random(8) : random(input.length - from + 1);
  return Buffer.concat([input.subarray(0, from), input.subarray(from + length)]);
}

/** A part again, up to many times: what is quadratic shows. */
function repeat(input: Buffer, random: Random, { maxBytes }: Target): Buffer {
  const from = random(input.length + 1);
  const part = input.subarray(from, from + 1 + random(random(2) === 0 ? 4 : 64));
  const times = Math.min(
    random(4) === 0 ? random(2000) : random(8),
    Math.floor(maxBytes / (part.length + 1)),
  );
  const rows = Array.from({ length: times }, () => part);
  return Buffer.concat([input.subarray(0, from), ...rows, input.subarray(from)]);
}

/** The beginning of this one and the end of another. */
function splice(input: Buffer, random: Random, _target: Target, other: Uint8Array): Buffer {
  return Buffer.concat([
    input.subarray(0, random(input.length + 1)),
    other.subarray(random(other.length + 1)),
  ]);
}

/** What stands between two quotes becomes something else that stands between two quotes. */
function swapText(input: Buffer, random: Random, { words }: Target): Buffer {
  const all = [...input.toString('latin1').matchAll(/"[^"\n]*"/g)];
  if (all.length === 0) return input;
  const { index, 0: found } = pick(random, all);
  const written = random(2) === 0 ? pick(random, oddTexts) : pick(random, words);
  return Buffer.concat([
    input.subarray(0, index),
    Buffer.from(JSON.stringify(written)),
    input.subarray(index + found.length),
  ]);
}
