import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';

const HEADER_BYTES = 140;
const MAGIC = Buffer.from('BERTHB01');
const DAMAGED = 'its base is damaged';

interface Named {
  readonly seq: number;
  readonly hash: Buffer;
}

/** What a record of a prune says of the base that stands for what went (PROTOCOL 11.4). */
export interface NamedBase {
  readonly at: number;
  /** Of record `at`, hex. */
  readonly hash: string;
  /** Of its rows, hex. */
  readonly sha256: string;
}

/** The base that the record of a prune names; null: it is none, or one that names nothing. */
export function namedBaseIn(payload: Buffer): NamedBase | null {
  if (!payload.includes('"journal.pruned"')) return null;
  const { changes } = JSON.parse(payload.toString()) as {
    changes?: readonly { readonly type: string; readonly pruned?: { readonly base?: NamedBase } }[];
  };
  return changes?.findLast(({ type }) => type === 'journal.pruned')?.pruned?.base ?? null;
}

/**
 * The base of a pruned journal, fed as it comes: a header with two positions and the SHA-256 of what follows. Written from the format, not from
 * the server's reader, as JournalChain is.
 */
export class JournalBase {
  readonly #digest = createHash('sha256');
  readonly #bytes: number;
  #header = Buffer.alloc(0);
  #length = 0;

  /** @param bytes of the file */
  constructor(bytes: number) {
    this.#bytes = bytes;
  }

  add(bytes: Uint8Array): void {
    const wanted = HEADER_BYTES - this.#header.length;
    if (wanted > 0) this.#header = Buffer.concat([this.#header, bytes.subarray(0, wanted)]);
    this.#digest.update(bytes.subarray(Math.min(wanted, bytes.length)));
    this.#length += bytes.length;
  }

  /** @returns what is wrong; call it once, after the last bytes */
  end(): string | null {
    const header = this.#header;
    const isHeader =
      header.length === HEADER_BYTES &&
      header.subarray(0, 8).equals(MAGIC) &&
      crc32(header.subarray(0, 136)) === header.readUInt32BE(136);
    if (!isHeader || this.#length !== this.#bytes) return DAMAGED;
    const rows = Number(header.readBigUInt64BE(96));
    const isWhole =
      this.#length === HEADER_BYTES + rows && this.#digest.digest().equals(header.subarray(104, 136));
    return isWhole && this.until.seq <= this.at.seq ? null : DAMAGED;
  }

  /** The last record that may be missing. */
  get until(): Named {
    return this.#position(8);
  }

  /** False when the base names another record of this number. */
  names(seq: number, hash: Buffer): boolean {
    return [this.until, this.at].every((named) => named.seq !== seq || named.hash.equals(hash));
  }

  /** Whether it is the very one that the journal says it goes on from. */
  isNamed({ at, hash, sha256 }: NamedBase): boolean {
    return (
      this.at.seq === at &&
      this.at.hash.toString('hex') === hash &&
      this.#header.toString('hex', 104, 136) === sha256
    );
  }

  /** The record that its rows stand for. */
  get at(): Named {
    return this.#position(48);
  }

  #position(offset: number): Named {
    if (this.#header.length < HEADER_BYTES) return { seq: 0, hash: Buffer.alloc(32) };
    const seq = Number(this.#header.readBigUInt64BE(offset));
    return { seq, hash: this.#header.subarray(offset + 8, offset + 40) };
  }
}
