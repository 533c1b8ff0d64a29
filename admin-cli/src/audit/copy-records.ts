import type { AdminConnection } from '@berth/client';
import { encodeBase64Url, type ResultOf } from '@berth/protocol';
import type { Context, Sink } from '../context.js';
import { Failure } from '../fail.js';
import { chainHash, formatLine, NO_HASH } from './audit-file.js';

export interface Copying {
  /** The first record to copy; what was pruned is left out. */
  readonly from: number;
  readonly until: number;
  readonly sink: Sink;
}

/** Copies records as lines of an audit file (PROTOCOL 11.1), its first line included. @returns the first of them, and the hash that the last one leads to. @throws Failure AUDIT_BROKEN: they are not one chain */
export async function copyRecords(
  context: Pick<Context, 'progress'>,
  admin: AdminConnection,
  { from, until, sink }: Copying,
): Promise<{ readonly from: number; readonly head: string }> {
  let hash: string | null = null;
  let first = from;
  let last = from - 1;
  let pieces: Uint8Array[] = [];
  let copied = 0;
  let next: ResultOf<'audit.records'>['next'] = { seq: from, offset: 0 };
  while (next !== null && next.seq <= until) {
    context.progress.say(`copying records (${next.seq} of ${until})`);
    const answer: ResultOf<'audit.records'> = await admin.call('audit.records', { from: next, until });
    let lines = '';
    for (const { seq, prev, offset, size, bytes } of answer.parts) {
      if (hash === null) {
        first = seq;
        last = seq - 1;
        lines += formatLine(headLine(admin, first, prev));
      }
      hash ??= prev;
      // Records may be pruned while they are copied: what comes then does not follow what came.
      if (seq !== last + 1 || prev !== hash || offset !== copied) throw notNext(last + 1, seq);
      const piece = Buffer.from(bytes, 'base64url');
      pieces.push(piece);
      copied += piece.length;
      if (copied < size) continue;
      const payload = Buffer.concat(pieces);
      pieces = [];
      copied = 0;
      last = seq;
      hash = chainHash(seq, hash, payload);
      lines += formatLine({ seq, hash, payload: textOf(payload, seq) });
    }
    await sink.write(lines);
    if (answer.next !== null && answer.parts.length === 0) throw new Error('the server sends no records');
    next = answer.next;
  }
  if (last < until) throw notNext(last + 1, null);
  return { from: first, head: hash ?? NO_HASH };
}

function headLine(admin: AdminConnection, from: number, prev: string) {
  return { berth: 'audit', version: 1, server: admin.me.server.key, from, prev } as const;
}

function notNext(wanted: number, came: number | null): Failure {
  return new Failure('AUDIT_BROKEN', {
    message: `What the server sent is not whole: record ${wanted} was to come, and ${came === null ? 'did not' : `what came (${came}) does not follow`}. No file was left, and nothing was removed.`,
    next: 'Somebody may just have pruned the journal (`berth audit list --kind journal.pruned --limit 5`): export again. If that fails too, check the data folder: berthd check.',
  });
}

/** JSON in UTF-8, as the server writes it: anything else would not come back as the same bytes. */
function textOf(payload: Buffer, seq: number): string {
  const text = payload.toString('utf8');
  if (encodeBase64Url(Buffer.from(text)) === encodeBase64Url(payload)) return text;
  throw new Error(`record ${seq} is not text`);
}
