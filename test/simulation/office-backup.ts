import { BerthError, newIdempotencyKey } from '@berth/client';
import type { Position } from '@berth/server/store/position';
import type { Office } from './office.js';
import { nap } from './workload.js';

/** What an admin has of the server, to make another one of. */
export interface SimBackup {
  readonly atMs: number;
  readonly epoch: string;
  readonly position: Position;
  /** Files of the journal, and the base of one that was pruned, by name. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** As `berth backup create` does, piece by piece; what it seals them with is no part of a simulation. */
export async function makeBackup(office: Office, key: string): Promise<void> {
  const { admin, host, site, dice } = office;
  const { seq, epoch, head, atMs, journal } = await admin.call('backup.begin', { key });
  const reading = { starts: site.server.starts, atMs: site.time.nowMs };
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

/** A server lets go of nothing that a backup is made of, for as long as somebody reads; it forgets who does when it starts anew. */
const PATIENCE_MS = 55_000;

async function read(
  { admin, site }: Office,
  segment: string,
  offset: number,
  reading: { starts: number; atMs: number },
): Promise<Buffer> {
  try {
    const { bytes } = await admin.call('backup.read', { segment, offset });
    reading.atMs = site.time.nowMs;
    return Buffer.from(bytes, 'base64url');
  } catch (error) {
    const isGone = error instanceof BerthError && error.code === 'PARAMS_INVALID';
    const isSame = site.server.starts === reading.starts && site.time.nowMs < reading.atMs + PATIENCE_MS;
    if (isGone && isSame) site.violation(`${segment} went while a backup was made of it`);
    throw error;
  }
}
