import { chainHash, formatLine, NO_HASH } from '@berth/cli/audit/audit-file';
import { newSeed, publicKeyOf, signWith } from '@berth/cli/ed25519';
import { type CheckpointClaims, formatPublicKey, signToken } from '@berth/protocol';

const seed = newSeed();
const sign = signWith(seed);
export const server = formatPublicKey(publicKeyOf(seed));
export const EPOCH = 'epoch-1';

/** The lines of an audit file as a server and `berth audit export` make them, and the hash after each record. */
export interface AuditLines {
  readonly lines: string[];
  readonly hashes: readonly string[];
}

export function checkpoint(seq: number, head: string, with_: Partial<CheckpointClaims> = {}): string {
  return signToken('checkpoint', { epoch: EPOCH, seq, head, iat: 1_788_264_000, ...with_ }, sign);
}

/** @param count records. @param signedEvery the server signs after so many. @param edit changes payloads before anything is hashed */
export function auditLines(
  count: number,
  signedEvery = 5,
  edit = (payload: string, _seq: number) => payload,
): AuditLines {
  const hashes = [NO_HASH];
  const lines = [formatLine({ berth: 'audit', version: 1, server, from: 1, prev: NO_HASH })];
  for (let seq = 1; seq <= count; seq += 1) {
    const change =
      seq % signedEvery === 0
        ? { type: 'journal.checkpoint', token: checkpoint(seq - 1, hashes[seq - 1]!) }
        : { type: 'user.removed', email: `u${seq}@studio.example` };
    const payload = edit(JSON.stringify({ v: 1, changes: [change] }), seq);
    hashes.push(chainHash(seq, hashes[seq - 1]!, payload));
    lines.push(formatLine({ seq, hash: hashes[seq]!, payload }));
  }
  lines.push(formatLine({ checkpoint: checkpoint(count, hashes[count]!) }));
  return { lines, hashes };
}
