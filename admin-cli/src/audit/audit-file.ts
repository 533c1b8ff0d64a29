import { createHash } from 'node:crypto';
import Type, { Compile, type Static } from '@berth/protocol/typebox';

/** Nothing beside: what is not named here would be proved by nothing. */
const strict = { additionalProperties: false };

/**
 * The lines of an audit file (PROTOCOL 11.1). Nothing in it is left unproved: the first line says what the chain begins with, each record
 * is hashed into the next, and the last line is the server's signature over where that leads.
 */
export const Head = Type.Object(
  {
    berth: Type.Literal('audit'),
    version: Type.Literal(1),
    /** Public key of the server, `ed25519:…`. */
    server: Type.String(),
    /** The first record, and the hash of the one before it. */
    from: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
    prev: Type.String(),
  },
  strict,
);
export type Head = Static<typeof Head>;

export const RecordLine = Type.Object(
  {
    seq: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
    hash: Type.String(),
    /** The record as it lies in the journal: JSON, as text. */
    payload: Type.String(),
  },
  strict,
);
export type RecordLine = Static<typeof RecordLine>;

export const Foot = Type.Object({ checkpoint: Type.String() }, strict);
export type Foot = Static<typeof Foot>;

const lines = { head: Compile(Head), record: Compile(RecordLine), foot: Compile(Foot) };
type Lines = { head: Head; record: RecordLine; foot: Foot };

export function formatLine(line: Head | RecordLine | Foot): string {
  return `${JSON.stringify(line)}\n`;
}

/** A line of this kind, or `null`. Only as it was written, byte for byte: two spellings of one record would hide a changed byte. */
export function readLine<K extends keyof Lines>(kind: K, text: string): Lines[K] | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  const check = lines[kind];
  return check.Check(value) && JSON.stringify(value) === text ? (value as Lines[K]) : null;
}

/** `h(seq)` of PROTOCOL 11, base64url. */
export function chainHash(seq: number, prev: string, payload: Uint8Array | string): string {
  const place = Buffer.alloc(8);
  place.writeBigUInt64BE(BigInt(seq));
  return createHash('sha256')
    .update(place)
    .update(Buffer.from(prev, 'base64url'))
    .update(payload)
    .digest('base64url');
}

/** `h(0)`. */
export const NO_HASH = Buffer.alloc(32).toString('base64url');
