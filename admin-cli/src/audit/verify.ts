import {
  type CheckpointClaims,
  parsePublicKey,
  parseToken,
  type Verify,
  type Witness,
} from '@berth/protocol';
import { verifyStrictly } from '../ed25519.js';
import { chainHash, type Foot, type Head, NO_HASH, type RecordLine, readLine } from './audit-file.js';

/** What is held against the file besides itself. */
export interface Against {
  /** The key the server must have; `null`: the one the file names. */
  readonly serverKey: string | null;
  /** Positions that somebody else was given: a later checkpoint, what a client saw in a lease. */
  readonly known: readonly Known[];
  /** Restores that earlier files of the same chain tell of. */
  readonly restores?: readonly NewEpoch[];
  /** Left out: Ed25519, strictly. */
  readonly verify?: Verify;
}

export interface Known extends Witness {
  /** As in a sentence: `the checkpoint`, `the witness`. */
  readonly what: string;
  /** Where it is a checkpoint: the server's signature is looked at too. */
  readonly token?: string;
  /** Somebody saw it while it was so: a restore may have given it up since. The end of another file is none of these. */
  readonly seen?: true;
}

/** All of it is as the server wrote it, up to and with record `until`. */
export interface Proved {
  readonly ok: true;
  readonly serverKey: string;
  readonly from: number;
  readonly until: number;
  readonly head: string;
  readonly epoch: string;
  /** When the server signed for it, ms. */
  readonly signedAtMs: number;
  /** Signed positions inside the file that were right. */
  readonly checkpoints: number;
  /** The hash of the record before the first. */
  readonly prev: string;
  /** Whether a checkpoint on the way signs that record. */
  readonly follows: boolean;
  /** How many of the known positions lie in the file and are right. */
  readonly compared: number;
  /** Known positions of what a restore gave up: the file cannot have them, and says so itself. */
  readonly givenUp: readonly GivenUp[];
  /** The restores that the file tells of. */
  readonly restores: readonly NewEpoch[];
}

/** A restore that the file tells of, and the position of before it that it cannot have any more. */
export interface GivenUp {
  readonly what: string;
  /** The record it names. */
  readonly at: number;
  /** The record of the restore, and when it was. */
  readonly seq: number;
  readonly restoredAtMs: number;
}

export interface Broken {
  readonly ok: false;
  readonly reason: BrokenReason;
  /** The first record that is not as it was written; 0: the first line of the file. */
  readonly seq: number;
  /** The line of the file, from 1. */
  readonly line: number;
  readonly message: string;
}

export type BrokenReason =
  | 'HEAD'
  | 'SERVER_KEY'
  | 'DAMAGED'
  | 'CHANGED'
  | 'MISSING'
  | 'SWAPPED'
  | 'CHECKPOINT'
  | 'UNSIGNED'
  | 'TRUNCATED'
  | 'WITNESS';

/**
 * Judges an audit file line by line, in memory that does not grow with it. What it says is broken is where a file that was changed with an
 * editor is; who makes the hashes anew is found out at the next signed position, and `message` says between which two it was.
 */
export async function verifyAudit(lines: AsyncIterable<string>, against: Against): Promise<Proved | Broken> {
  const source = lines[Symbol.asyncIterator]();
  const first = await source.next();
  const head = first.done === true ? null : readLine('head', first.value);
  if (head === null || !isHash(head.prev) || (head.from === 1 && head.prev !== NO_HASH))
    return broken('HEAD', 0, 1, 'This is not an audit file of Berth, or its first line was changed.');
  const serverKey = against.serverKey ?? head.server;
  const key = parsePublicKey(serverKey);
  if (key === null || head.server !== serverKey)
    return broken('SERVER_KEY', 0, 1, `The file is of the server ${head.server}, not of ${serverKey}.`);
  const chain = new Chain(head, key, against);
  const foreign = against.known.find(({ token }) => token !== undefined && !chain.hasSigned(token));
  if (foreign !== undefined)
    return broken('CHECKPOINT', 0, 1, `${capital(foreign.what)} is not signed by ${head.server}.`);
  const early = chain.witnessed(1);
  if (early !== null) return early;
  for (let line = 2; ; line += 1) {
    const { done, value: text } = await source.next();
    if (done === true) return chain.unsigned(line);
    const foot = readLine('foot', text);
    if (foot !== null) return chain.close(foot, line, (await source.next()).done === true);
    const fault = chain.add(readLine('record', text), line);
    if (fault === null) continue;
    if (fault.reason !== 'MISSING') return fault;
    const next = await source.next();
    const later = next.done === true ? null : readLine('record', next.value);
    return later?.seq === fault.seq ? swapped(fault) : fault;
  }
}

function broken(reason: BrokenReason, seq: number, line: number, message: string): Broken {
  return { ok: false, reason, seq, line, message };
}

function swapped(fault: Broken): Broken {
  const message = `Records ${fault.seq} and ${fault.seq + 1} are swapped.`;
  return { ...fault, reason: 'SWAPPED', message };
}

/** A new epoch that the file tells of: what the one before had from this record on is not here (I9). */
export interface NewEpoch {
  readonly epoch: string;
  readonly seq: number;
  readonly atMs: number;
}

/** Hashes that a checkpoint may still name: it is signed a few records before the one it lies in. */
const KEPT_HASHES = 4096;

class Chain {
  readonly #head: Head;
  readonly #key: Uint8Array;
  readonly #known: readonly Known[];
  readonly #verify: Verify;
  readonly #hashes = new Map<number, string>();
  #seq: number;
  #hash: string;
  /** The last signed position that was right, 0 for none. */
  #signed = 0;
  #checkpoints = 0;
  /** The record before the first is one that the server signed. */
  #follows = false;
  #compared = 0;
  readonly #restores: NewEpoch[];
  readonly #givenUp: GivenUp[] = [];

  constructor(head: Head, key: Uint8Array, { known, restores = [], verify = verifyStrictly }: Against) {
    this.#head = head;
    this.#key = key;
    this.#known = known;
    this.#restores = restores.filter(({ seq }) => seq < head.from);
    this.#verify = verify;
    this.#seq = head.from - 1;
    this.#hash = head.prev;
    this.#hashes.set(this.#seq, this.#hash);
  }

  add(record: RecordLine | null, line: number): Broken | null {
    const seq = this.#seq + 1;
    if (record === null || !isWellFormed(record.payload))
      return broken('DAMAGED', seq, line, `Record ${seq} is damaged, or its line was changed.`);
    if (record.seq > seq) return broken('MISSING', seq, line, missing(seq, record.seq - 1));
    if (record.seq < seq)
      return broken('SWAPPED', seq, line, `Record ${record.seq} stands where record ${seq} must be.`);
    const hash = chainHash(seq, this.#hash, record.payload);
    if (hash !== record.hash)
      return broken(
        'CHANGED',
        seq,
        line,
        `Record ${seq} was changed, or does not continue record ${seq - 1}.`,
      );
    this.#seq = seq;
    this.#hash = hash;
    this.#hashes.set(seq, hash);
    this.#hashes.delete(seq - KEPT_HASHES);
    this.#restores.push(...restoresIn(record.payload, seq));
    return this.witnessed(line) ?? this.#checkpoint(record.payload, line);
  }

  /** The last line: the server's word for everything before it. */
  close({ checkpoint }: Foot, line: number, isLast: boolean): Proved | Broken {
    const claims = this.#verified(checkpoint);
    const until = this.#seq;
    if (claims === null)
      return broken('CHECKPOINT', until, line, 'The checkpoint at the end is not signed by this server.');
    if (claims.seq > until)
      return broken(
        'TRUNCATED',
        until + 1,
        line,
        `${missing(until + 1, claims.seq)} The checkpoint at the end names them.`,
      );
    if (claims.seq !== until || claims.head !== this.#hash)
      return this.#notSigned(claims, 'the checkpoint at the end', line);
    if (!isLast)
      return broken('DAMAGED', until + 1, line + 1, 'Something follows the checkpoint at the end.');
    const later = this.#known.find((known) => known.seq > until && !this.#gaveUp(known));
    if (later !== undefined)
      return broken(
        'TRUNCATED',
        until + 1,
        line,
        `${missing(until + 1, later.seq)} ${capital(later.what)} names them.`,
      );
    return {
      ...{ ok: true, serverKey: this.#head.server, from: this.#head.from, until, head: this.#hash },
      ...{ epoch: claims.epoch, signedAtMs: claims.iat * 1000, checkpoints: this.#checkpoints },
      ...{ compared: this.#compared, prev: this.#head.prev, follows: this.#follows },
      givenUp: this.#givenUp,
      restores: this.#restores,
    };
  }

  /** The file ends without the server's word for it. */
  unsigned(line: number): Broken {
    const at = `The file ends behind record ${this.#seq} without the checkpoint that closes it: its end was cut off.`;
    return broken('UNSIGNED', this.#seq + 1, line, at);
  }

  hasSigned(token: string): boolean {
    return this.#verified(token) !== null;
  }

  /** Whether the record just added is the one that others were told of. */
  witnessed(line: number): Broken | null {
    const named = this.#known.filter(({ seq }) => seq === this.#seq);
    const others = named.filter(({ head }) => head !== this.#hash);
    const wrong = others.find((known) => !this.#gaveUp(known));
    this.#compared += named.length - others.length;
    if (wrong === undefined) return null;
    const message = `Record ${this.#seq} is not the one that ${wrong.what} names: ${this.#between(this.#seq)}`;
    return broken('WITNESS', this.#seq, line, message);
  }

  /**
   * True for a position of an epoch that a restore in this file ended before it: the server cannot have it, and tells so. Whoever compares
   * is told of the restore, which is in the proved part.
   */
  #gaveUp({ what, epoch, seq: at, seen }: Known): boolean {
    if (seen !== true) return false;
    const before = this.#restores.filter(({ seq }) => seq <= at);
    // Of several the first after the epoch began.
    const restore = before[before.findLastIndex((one) => one.epoch === epoch) + 1];
    if (restore === undefined) return false;
    this.#givenUp.push({ what, at, seq: restore.seq, restoredAtMs: restore.atMs });
    return true;
  }

  /** Checkpoints that the server wrote into its journal on the way: what was changed lies behind the last good one. */
  #checkpoint(payload: string, line: number): Broken | null {
    if (!payload.includes('"journal.checkpoint"')) return null;
    const tokens = checkpointsIn(payload);
    if (tokens === null)
      return broken('DAMAGED', this.#seq, line, `Record ${this.#seq} is no record of a server.`);
    for (const token of tokens) {
      const claims = this.#verified(token);
      if (claims === null)
        return broken(
          'CHECKPOINT',
          this.#seq,
          line,
          `The checkpoint in record ${this.#seq} is not signed by this server.`,
        );
      // What the file follows is kept however long it is: the checkpoint of a prune comes later than usual ones.
      const before = claims.seq === this.#head.from - 1 ? this.#head.prev : undefined;
      const hash = before ?? this.#hashes.get(claims.seq);
      if (hash === undefined) continue;
      if (hash !== claims.head) return this.#notSigned(claims, `the checkpoint in record ${this.#seq}`, line);
      this.#signed = Math.max(this.#signed, claims.seq);
      this.#checkpoints += 1;
      if (claims.seq === this.#head.from - 1) this.#follows = true;
    }
    return null;
  }

  #notSigned({ seq }: CheckpointClaims, what: string, line: number): Broken {
    const at = Math.min(seq, this.#seq);
    return broken(
      'CHECKPOINT',
      this.#signed + 1,
      line,
      `Record ${at} is not the one that ${what} signs: ${this.#between(at)}`,
    );
  }

  #between(seq: number): string {
    return `something in records ${this.#signed + 1} to ${seq} was changed, and the hashes made anew.`;
  }

  #verified(token: string): CheckpointClaims | null {
    const parsed = parseToken('checkpoint', token);
    if (!parsed.ok) return null;
    const { claims, signed, signature } = parsed.token;
    return this.#verify(this.#key, signed, signature) ? claims : null;
  }
}

function restoresIn(payload: string, seq: number): NewEpoch[] {
  if (!payload.includes('"organisation.restored"')) return [];
  return (changesIn(payload) ?? []).flatMap(({ type, epoch, restore }) =>
    type === 'organisation.restored' && typeof epoch === 'string'
      ? [{ epoch, seq, atMs: typeof restore?.atMs === 'number' ? restore.atMs : 0 }]
      : [],
  );
}

/** Those that a record carries; `null`: whoever wrote it was no server. */
function checkpointsIn(payload: string): string[] | null {
  const changes = changesIn(payload);
  if (changes === null) return null;
  return changes.flatMap(({ type, token }) =>
    type === 'journal.checkpoint' && typeof token === 'string' ? [token] : [],
  );
}

interface AnyChange {
  readonly type?: unknown;
  readonly token?: unknown;
  readonly epoch?: unknown;
  readonly restore?: { readonly atMs?: unknown } | null;
}

function changesIn(payload: string): AnyChange[] | null {
  let record: { changes?: unknown } | null;
  try {
    record = JSON.parse(payload) as { changes?: unknown } | null;
  } catch {
    return null;
  }
  if (!Array.isArray(record?.changes)) return null;
  return record.changes.filter((change) => typeof change === 'object' && change !== null) as AnyChange[];
}

/** Of a hash there is one spelling only: Node reads others of the same bytes, and a changed byte would not show. */
function isHash(text: string): boolean {
  const bytes = Buffer.from(text, 'base64url');
  return bytes.length === 32 && bytes.toString('base64url') === text;
}

/** Half a surrogate pair is hashed as U+FFFD is: a record that had one could be exchanged for the other. */
function isWellFormed(text: string): boolean {
  return Buffer.from(text).toString() === text;
}

function missing(from: number, to: number): string {
  return from === to ? `Record ${from} is missing.` : `Records ${from} to ${to} are missing.`;
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
