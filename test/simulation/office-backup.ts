import { newIdempotencyKey } from '@berth/client';
import type { Position } from '@berth/server/store/position';
import type { Office } from './office.js';

/** What an admin has of the server, to make another one of. */
export interface SimBackup {
  readonly atMs: number;
  readonly epoch: string;
  readonly position: Position;
  /** Files of the journal, by name. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** As `berth backup create` does, piece by piece; what it seals them with is no part of a simulation. */
export async function makeBackup({ admin, host, site }: Office, key: string): Promise<void> {
  const { seq, epoch, head, atMs, journal } = await admin.call('backup.begin', { key });
  const files = new Map<string, Uint8Array>();
  let total = 0;
  for (const { segment, bytes: size } of journal) {
    const pieces: Buffer[] = [];
    for (let offset = 0; offset < size; ) {
      const piece = Buffer.from((await admin.call('backup.read', { segment, offset })).bytes, 'base64url');
      if (piece.length === 0) throw new Error(`segment ${segment} ends at ${offset}, not at ${size}`);
      pieces.push(piece);
      offset += piece.length;
    }
    files.set(`${segment}.log`, Buffer.concat(pieces).subarray(0, size));
    total += size;
  }
  const position = { seq, hash: Buffer.from(head, 'base64url').toString('hex') };
  site.backup = { atMs, epoch, position, files };
  await admin.call('backup.finish', { key: newIdempotencyKey(host), seq, bytes: total, atMs });
}
