import { decodeUtf8, encodeUtf8 } from './bytes.js';
import Type, { Compile, type Static } from './typebox.js';

/**
 * A backup file (PROTOCOL 11.2): one line that says how the key is made of the passphrase, then sealed chunks. Inside lie frames: a header
 * in JSON and the bytes of one file of the data folder; the last frame says where the journal stands.
 *
 *     file  = head line, LF | chunk*            chunk = length u32 | sealed bytes
 *     inside the chunks: frame*                 frame = length u32 | header, JSON | bytes
 *
 * The nonce of chunk n is `0 or 1 (the last one) u32 | n u64`, and the head line is sealed in with each: no chunk can be changed, left
 * out, moved, or taken from another file, and the end cannot be cut off. All numbers big-endian.
 */
export const BackupHead = Type.Object(
  {
    berth: Type.Literal('backup'),
    version: Type.Literal(1),
    kdf: Type.Literal('scrypt'),
    /** Cost of scrypt: 2^logN blocks of 128 * r bytes. Bounded, so that a file cannot ask its reader for all of its memory. */
    logN: Type.Integer({ minimum: 14, maximum: 17 }),
    r: Type.Literal(8),
    p: Type.Literal(1),
    /** 16 random bytes, base64url: each file has a key of its own. */
    salt: Type.String({ pattern: '^[A-Za-z0-9_-]{22}$' }),
    /** The second 16 of the 48 bytes that scrypt gives, base64url: a wrong passphrase is told from a changed file. */
    check: Type.String({ pattern: '^[A-Za-z0-9_-]{22}$' }),
  },
  { additionalProperties: false },
);
export type BackupHead = Static<typeof BackupHead>;

/** One file of the data folder, by its path in it. */
export const BackedUpFile = Type.Object({
  path: Type.String({
    pattern: '^(berthd\\.json|keys/server\\.key|tls/[a-z0-9-]+\\.[a-z]+|journal/[0-9]{20}\\.(log|base))$',
  }),
  bytes: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
});
export type BackedUpFile = Static<typeof BackedUpFile>;

/** The last frame: where the journal stood. */
export const BackupEnd = Type.Object({
  end: Type.Object({
    server: Type.String(),
    epoch: Type.String(),
    seq: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
    head: Type.String({ pattern: '^[A-Za-z0-9_-]{43}$' }),
    atMs: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
  }),
});
export type BackupEnd = Static<typeof BackupEnd>;

/** An authenticated cipher with the key of the file; `open` gives `null` for anything that was not sealed so. */
export interface Cipher {
  seal(nonce: Uint8Array, beside: Uint8Array, plain: Uint8Array): Uint8Array;
  open(nonce: Uint8Array, beside: Uint8Array, sealed: Uint8Array): Uint8Array | null;
}

export const BACKUP_CHUNK_BYTES = 64 * 1024;
/** What sealing adds to a chunk: the tag. */
const TAG_BYTES = 16;
const MOST_HEADER_BYTES = 4096;

const checks = { head: Compile(BackupHead), file: Compile(BackedUpFile), end: Compile(BackupEnd) };

export function formatBackupHead(head: BackupHead): Uint8Array {
  return encodeUtf8(`${JSON.stringify(head)}\n`);
}

/** @param line without its end */
export function parseBackupHead(line: string): BackupHead | null {
  const value = parse(line);
  return checks.head.Check(value) && JSON.stringify(value) === line ? value : null;
}

/** Seals frames into chunks. Call `end` last: a file without its last chunk is none. */
export class BackupSealer {
  readonly #cipher: Cipher;
  readonly #beside: Uint8Array;
  readonly #emit: (bytes: Uint8Array) => Promise<void>;
  #room: Uint8Array = new Uint8Array(BACKUP_CHUNK_BYTES);
  #filled = 0;
  #chunks = 0;

  constructor(head: Uint8Array, cipher: Cipher, emit: (bytes: Uint8Array) => Promise<void>) {
    this.#beside = head;
    this.#cipher = cipher;
    this.#emit = emit;
  }

  async begin(file: BackedUpFile): Promise<void> {
    await this.add(headerBytes(file));
  }

  /** The next bytes of the file that was begun. */
  async add(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      if (this.#filled === BACKUP_CHUNK_BYTES) await this.#seal(false);
      const taken = bytes.subarray(at, at + BACKUP_CHUNK_BYTES - this.#filled);
      this.#room.set(taken, this.#filled);
      this.#filled += taken.length;
      at += taken.length;
    }
  }

  async end(end: BackupEnd): Promise<void> {
    await this.add(headerBytes(end));
    await this.#seal(true);
  }

  async #seal(isLast: boolean): Promise<void> {
    const plain = this.#room.subarray(0, this.#filled);
    const sealed = this.#cipher.seal(nonceOf(this.#chunks, isLast), this.#beside, plain);
    this.#chunks += 1;
    this.#filled = 0;
    await this.#emit(withLength(sealed));
  }
}

/**
 * `HEAD`: not a backup, or of another version. `CONTENT`: sealed as it should be, but not what a backup holds. `TOO_LONG`: something stands
 * behind its end.
 */
export type BackupFault = 'HEAD' | 'PASSPHRASE' | 'CHANGED' | 'CUT_SHORT' | 'TOO_LONG' | 'CONTENT';

/** The file is not to be used: nothing of it after what came before this is to be believed. */
export class BackupBroken extends Error {
  override readonly name = 'BackupBroken';

  constructor(readonly fault: BackupFault) {
    super(`The backup is not whole: ${fault}`);
  }
}

/** What a backup holds, in order, as its reader meets it. */
export type BackupPiece =
  | { readonly kind: 'file'; readonly file: BackedUpFile }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'end'; readonly end: BackupEnd['end'] };

/** The head line is shorter than this, whatever the file is. */
const MOST_HEAD_BYTES = 512;

/**
 * Opens a backup as it comes. Whatever is not as it was written ends it with BackupBroken; only after the last piece all of it is proved.
 * @param cipherOf the key, which takes a second; `null`: the passphrase is not that of the file
 */
export async function* readBackup(
  source: AsyncIterable<Uint8Array>,
  cipherOf: (head: BackupHead) => Promise<Cipher | null>,
): AsyncGenerator<BackupPiece, void, undefined> {
  let opener: BackupOpener | null = null;
  let before: Uint8Array = new Uint8Array(0);
  for await (const bytes of source) {
    let rest = bytes;
    if (opener === null) {
      before = joined(before, bytes);
      const end = before.indexOf(10);
      if (end < 0 && before.length <= MOST_HEAD_BYTES) continue;
      const head = end < 0 ? null : parseBackupHead(decodeUtf8(before.subarray(0, end)) ?? '');
      if (head === null) throw new BackupBroken('HEAD');
      const cipher = await cipherOf(head);
      if (cipher === null) throw new BackupBroken('PASSPHRASE');
      opener = new BackupOpener(before.slice(0, end + 1), cipher);
      rest = before.subarray(end + 1);
    }
    yield* piecesOf(opener.read(rest, false));
  }
  if (opener === null) throw new BackupBroken('HEAD');
  yield* piecesOf(opener.read(new Uint8Array(0), true));
}

function piecesOf(read: BackupPiece[] | BackupFault): BackupPiece[] {
  if (typeof read === 'string') throw new BackupBroken(read);
  return read;
}

/** Opens chunks and takes the frames apart; fed with the bytes behind the head line, however they come. */
export class BackupOpener {
  readonly #cipher: Cipher;
  readonly #beside: Uint8Array;
  #sealed: Uint8Array = new Uint8Array(0);
  #plain: Uint8Array = new Uint8Array(0);
  #chunks = 0;
  /** Bytes of the file that was begun which have not come yet. */
  #owed = 0;
  #over = false;
  #ended = false;

  constructor(head: Uint8Array, cipher: Cipher) {
    this.#beside = head;
    this.#cipher = cipher;
  }

  /** @param last true with the last bytes of the file */
  read(bytes: Uint8Array, last: boolean): BackupPiece[] | BackupFault {
    this.#sealed = joined(this.#sealed, bytes);
    const pieces: BackupPiece[] = [];
    for (let fault = this.#nextChunk(); fault !== 'MORE'; fault = this.#nextChunk()) {
      if (fault !== null) return fault;
      const wrong = this.#frames(pieces);
      if (wrong !== null) return wrong;
    }
    if (!last) return pieces;
    // The last chunk alone is sealed as such: without it the end was cut off.
    if (!this.#over) return 'CUT_SHORT';
    if (this.#sealed.length > 0) return 'TOO_LONG';
    return this.#ended ? pieces : 'CONTENT';
  }

  /** Opens the next chunk if all of it is there. */
  #nextChunk(): BackupFault | 'MORE' | null {
    if (this.#sealed.length < 4) return 'MORE';
    const length = readLength(this.#sealed);
    if (this.#over) return 'TOO_LONG';
    if (length > BACKUP_CHUNK_BYTES + TAG_BYTES) return 'CHANGED';
    if (this.#sealed.length < 4 + length) return 'MORE';
    const chunk = this.#sealed.subarray(4, 4 + length);
    const open = (isLast: boolean) => this.#cipher.open(nonceOf(this.#chunks, isLast), this.#beside, chunk);
    let plain = open(false);
    if (plain === null) {
      plain = open(true);
      this.#over = plain !== null;
    }
    if (plain === null) return 'CHANGED';
    this.#chunks += 1;
    this.#sealed = this.#sealed.slice(4 + length);
    this.#plain = joined(this.#plain, plain);
    return null;
  }

  #frames(pieces: BackupPiece[]): BackupFault | null {
    for (;;) {
      if (this.#owed > 0) {
        const bytes = this.#plain.subarray(0, this.#owed);
        if (bytes.length === 0) return null;
        pieces.push({ kind: 'bytes', bytes });
        this.#owed -= bytes.length;
        this.#plain = this.#plain.subarray(bytes.length);
        continue;
      }
      if (this.#plain.length < 4) return null;
      const length = readLength(this.#plain);
      if (length > MOST_HEADER_BYTES || this.#ended) return 'CONTENT';
      if (this.#plain.length < 4 + length) return null;
      const value = parse(decodeUtf8(this.#plain.subarray(4, 4 + length)) ?? '');
      this.#plain = this.#plain.subarray(4 + length);
      if (checks.file.Check(value)) {
        this.#owed = value.bytes;
        pieces.push({ kind: 'file', file: value });
      } else if (checks.end.Check(value)) {
        this.#ended = true;
        pieces.push({ kind: 'end', end: value.end });
      } else return 'CONTENT';
    }
  }
}

function headerBytes(header: BackedUpFile | BackupEnd): Uint8Array {
  return withLength(encodeUtf8(JSON.stringify(header)));
}

function nonceOf(chunk: number, isLast: boolean): Uint8Array {
  const nonce = new Uint8Array(12);
  const view = new DataView(nonce.buffer);
  view.setUint32(0, isLast ? 1 : 0);
  view.setUint32(4, Math.floor(chunk / 0x1_0000_0000));
  view.setUint32(8, chunk % 0x1_0000_0000);
  return nonce;
}

function withLength(bytes: Uint8Array): Uint8Array {
  const framed = new Uint8Array(4 + bytes.length);
  new DataView(framed.buffer).setUint32(0, bytes.length);
  framed.set(bytes, 4);
  return framed;
}

function readLength(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0);
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
