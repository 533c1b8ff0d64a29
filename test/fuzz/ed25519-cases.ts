import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Random, seeded } from '../store/random.js';
import { root } from './root.js';

// Edge cases of Ed25519 with the verdict that PROTOCOL 4.1 asks, known from how they are made: every scalar and every point of small order in
// them is ours. An honest signer makes none of them; the arithmetic is the second implementation of protocol/scripts/vectors.

export interface EdCase {
  /** What it is made of, for a person: `key [a]B + 3T, R [r]B, S solved + L`. */
  readonly name: string;
  readonly publicKey: Uint8Array;
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
  readonly valid: boolean;
}

interface Point {
  readonly x: bigint;
  readonly y: bigint;
}

interface Curve {
  readonly BASE: Point;
  readonly IDENTITY: Point;
  readonly L: bigint;
  readonly P: bigint;
  add(a: Point, b: Point): Point;
  multiply(scalar: bigint, point: Point): Point;
  encodePoint(point: Point): Uint8Array;
  littleEndian(n: bigint): Uint8Array;
  fromLittleEndian(bytes: Uint8Array): bigint;
  torsionPoint(): Point;
  offCurve(): Uint8Array;
  challenge(r: Uint8Array, a: Uint8Array, message: Uint8Array): bigint;
}

/** 32 bytes for a key or an R, and what they stand for: [scalar]B + [torsion]T. */
interface Element {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly scalar: bigint;
  readonly torsion: bigint;
  /** What 4.1 says of the bytes alone. */
  readonly strict: boolean;
}

const TOP_BIT = 1n << 255n;
const BYTES = 2n ** 256n;

export async function ed25519Cases(count: number, seed: number): Promise<EdCase[]> {
  const file = pathToFileURL(join(root, 'protocol/scripts/vectors/curve.js')).href;
  const maker = new CaseMaker((await import(file)) as Curve, seeded(seed));
  return Array.from({ length: count }, () => maker.next());
}

class CaseMaker {
  readonly #curve: Curve;
  readonly #random: Random;
  readonly #keys: readonly Element[];
  readonly #rs: readonly Element[];

  constructor(curve: Curve, random: Random) {
    this.#curve = curve;
    this.#random = random;
    const torsion = curve.torsionPoint();
    const small = smallOrder(curve, torsion);
    // Short scalars: the arithmetic is slow, and no verifier can tell.
    const [a, r] = [BigInt(2 + random(60_000)), BigInt(2 + random(60_000))];
    this.#keys = [...cosets(curve, torsion, 'a', a), ...small, ...nowhere(curve)];
    this.#rs = [...cosets(curve, torsion, 'r', r), ...small, ...nowhere(curve)];
  }

  next(): EdCase {
    const { challenge } = this.#curve;
    const [key, r] = [this.#pick(this.#keys), this.#pick(this.#rs)];
    const message = Buffer.from(`message ${this.#random(1_000_000)}`);
    const h = challenge(r.bytes, key.bytes, message);
    const L = this.#curve.L;
    const solved = (r.scalar + h * key.scalar) % L;
    const [how, s] = this.#spelling(solved);
    // [S]B = R + [h]A without the cofactor: what is of small order on the right must vanish, not only after multiplying by 8.
    const holds = s === solved && (r.torsion + h * key.torsion) % 8n === 0n;
    const whole: EdCase = {
      name: `key ${key.name}, R ${r.name}, S ${how}`,
      publicKey: key.bytes,
      message,
      signature: Buffer.concat([r.bytes, this.#curve.littleEndian(s)]),
      valid: key.strict && r.strict && holds,
    };
    return this.#random(6) === 0 ? this.#damaged(whole) : whole;
  }

  #pick(elements: readonly Element[]): Element {
    // The first of them is the honest one.
    return elements[this.#random(2) === 0 ? 0 : this.#random(elements.length)]!;
  }

  #spelling(solved: bigint): readonly [string, bigint] {
    const { L } = this.#curve;
    const ways: readonly (readonly [string, bigint])[] = [
      ...Array.from({ length: 12 }, () => ['solved', solved] as const),
      ['solved + L', solved + L],
      ['solved + k L, the most that fits', solved + ((BYTES - 1n - solved) / L) * L],
      ['solved with the top bit', solved | TOP_BIT],
      ['solved with bit 253', solved | (1n << 253n)],
      ['zero', 0n],
      ['L', L],
      ['L - 1', L - 1n],
      ['all ones', BYTES - 1n],
    ];
    return ways[this.#random(ways.length)]!;
  }

  /** A bit flipped, a byte less or more. Chance makes no signature. */
  #damaged(whole: EdCase): EdCase {
    const part = (['publicKey', 'signature'] as const)[this.#random(2)]!;
    const bytes = whole[part];
    const how = this.#random(6);
    if (how === 0) return changed(whole, part, bytes.slice(0, -1), 'cut short');
    if (how === 1) return changed(whole, part, Buffer.concat([bytes, Buffer.alloc(1)]), 'a byte too long');
    if (how === 2) return changed(whole, part, new Uint8Array(0), 'empty');
    const bit = this.#random(bytes.length * 8);
    const flipped = Uint8Array.from(bytes);
    flipped[bit >> 3]! ^= 1 << (bit & 7);
    return changed(whole, part, flipped, 'a bit flipped');
  }
}

function changed(whole: EdCase, part: 'publicKey' | 'signature', bytes: Uint8Array, how: string): EdCase {
  return { ...whole, [part]: bytes, valid: false, name: `${whole.name}; ${part} ${how}` };
}

/** [scalar]B + [i]T for all i: the honest one and seven of mixed order. */
function cosets(curve: Curve, torsion: Point, letter: string, scalar: bigint): Element[] {
  const point = curve.multiply(scalar, curve.BASE);
  return Array.from({ length: 8 }, (_, i) => ({
    name: i === 0 ? `[${letter}]B` : `[${letter}]B + ${i}T`,
    bytes: curve.encodePoint(curve.add(point, curve.multiply(BigInt(i), torsion))),
    scalar,
    torsion: BigInt(i),
    strict: true,
  }));
}

/** The eight points of small order, and every other spelling of them: y + p where it fits, and x = 0 with the sign bit. */
function smallOrder(curve: Curve, torsion: Point): Element[] {
  return Array.from({ length: 8 }, (_, i) => curve.multiply(BigInt(i), torsion)).flatMap((point, i) => {
    const honest = curve.fromLittleEndian(curve.encodePoint(point));
    const sign = honest & TOP_BIT;
    const spellings = [honest, ...(point.x === 0n ? [honest | TOP_BIT] : [])];
    if (point.y + curve.P < TOP_BIT) spellings.push((point.y + curve.P) | sign);
    if (point.y + curve.P < TOP_BIT && point.x === 0n) spellings.push((point.y + curve.P) | TOP_BIT);
    return spellings.map((number, n) => ({
      name: n === 0 ? `${i}T` : `${i}T in another spelling`,
      bytes: curve.littleEndian(number),
      scalar: 0n,
      torsion: BigInt(i),
      strict: false,
    }));
  });
}

/** Bytes that are no point, or whose y is not below p. */
function nowhere(curve: Curve): Element[] {
  const rows: [string, Uint8Array][] = [
    ['on no point', curve.offCurve()],
    ['p + 2', curve.littleEndian(curve.P + 2n)],
    ['p + 18', curve.littleEndian(curve.P + 18n)],
    ['32 bytes of ff', Buffer.alloc(32, 0xff)],
  ];
  return rows.map(([name, bytes]) => ({ name, bytes, scalar: 0n, torsion: 0n, strict: false }));
}
