import { BerthError, newIdempotencyKey } from '@berth/client';
import type { ResultOf } from '@berth/protocol';
import type { Position } from '@berth/server/store/position';
import type { Desk } from './office.js';
import { pruneJournal } from './office-prune.js';
import { refusable } from './refusable.js';
import { nap } from './workload.js';

/** What an admin has of the server, to make another one of. */
export interface SimBackup {
  readonly atMs: number;
  readonly epoch: string;
  readonly position: Position;
  /** Files of the journal, and the base of one that was pruned, by name. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/**
 * As `berth backup create` does, piece by piece; what it seals them with is no part of a simulation. Often the same person prunes the journal meanwhile, in
 * another terminal: only owners may do either.
 */
export async function makeBackup(office: Desk, key: string): Promise<void> {
  const { admin, dice, site } = office;
  // The others are refused, which is looked at, but not every time.
  if (admin.me.user?.role !== 'owner' && dice.chance(0.8)) return;
  // What happens before the answer is here happens to this backup as well.
  const reading = { starts: site.server.starts, sinceMs: site.time.nowMs };
  const begun = await admin.call('backup.begin', { key });
  const both = [
    copyAll(office, begun, reading),
    dice.chance(0.5) ? refusable(() => pruneJournal(office)) : null,
  ];
  for (const settled of await Promise.allSettled(both))
    if (settled.status === 'rejected') throw settled.reason;
}

async function copyAll(office: Desk, begun: ResultOf<'backup.begin'>, reading: Reading): Promise<void> {
  const { admin, host, site, dice } = office;
  const { seq, epoch, head, atMs, journal } = begun;
  const files = new Map<string, Uint8Array>();
  let total = 0;
  for (const { segment, bytes: size } of journal) {
    const pieces: Buffer[] = [];
    for (let offset = 0; offset < size; ) {
      const piece = await read(office, segment, offset, reading);
      if (piece.length === 0) throw new Error(`segment ${segment} ends at ${offset}, not at ${size}`);
      pieces.push(piece);
      offset += piece.length;
    }
    files.set(
      `${segment}${segment.endsWith('.base') ? '' : '.log'}`,
      Buffer.concat(pieces).subarray(0, size),
    );
    total += size;
    // Large ones take their time: what is asked of the server meanwhile must not take it away.
    if (dice.chance(0.5)) await nap(host, dice.about(5_000));
  }
  const position = { seq, hash: Buffer.from(head, 'base64url').toString('hex') };
  site.backup = { atMs, epoch, position, files };
  await admin.call('backup.finish', { key: newIdempotencyKey(host), seq, bytes: total, atMs });
}

/** By which process of the server, and since when it has not been asked for a piece, true time. */
interface Reading {
  readonly starts: number;
  sinceMs: number;
}

/** A server lets go of nothing that a backup is made of, for as long as somebody reads; it forgets who does when it starts anew. */
const PATIENCE_MS = 55_000;

async function read(
  { admin, site }: Desk,
  segment: string,
  offset: number,
  reading: Reading,
): Promise<Buffer> {
  const askedMs = site.time.nowMs;
  try {
    const { bytes } = await admin.call('backup.read', { segment, offset });
    // The server counts from when it answered: that was not before.
    reading.sinceMs = askedMs;
    return Buffer.from(bytes, 'base64url');
  } catch (error) {
    const isGone = error instanceof BerthError && error.code === 'PARAMS_INVALID';
    const isSame = site.server.starts === reading.starts && site.time.nowMs < reading.sinceMs + PATIENCE_MS;
    if (isGone && isSame) site.violation(`${segment} went while a backup was made of it`);
    throw error;
  }
}
