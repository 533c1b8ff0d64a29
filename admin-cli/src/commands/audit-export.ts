import type { AdminConnection } from '@berth/client';
import { encodeBase64Url, parseToken, type ResultOf } from '@berth/protocol';
import { chainHash, formatLine, NO_HASH } from '../audit/audit-file.js';
import { defineCommand } from '../command.js';
import type { Context, Sink } from '../context.js';
import { Failure } from '../fail.js';
import { openSink } from '../files.js';
import { optional, parseCount, quote } from '../parse.js';
import { withAdmin } from '../session.js';

export const auditExport = defineCommand({
  usage: 'export',
  describe: 'Write the journal to a file that anybody can verify',
  options: {
    out: { type: 'string', demandOption: true, describe: 'file to write, which must not exist' },
    from: { type: 'string', describe: 'first record; the first of all when left out' },
  },
  examples: [
    ['berth audit export --out audit.jsonl', 'everything up to now'],
    ['berth audit verify audit.jsonl', 'and prove that it is whole and unchanged'],
    ['berth audit export --out more.jsonl --from 48211', 'what came after an earlier export'],
  ],
  more: 'One JSON object a line: what the chain begins with, every record with its hash, and the signature of the server over the end. It has no keys, tokens or links in it with which anybody could do anything; it has names, e-mail addresses and licence numbers.',
  run: async (context, args) => {
    const from = optional(args.from, (text) => parseCount(text, '--from', 1, Number.MAX_SAFE_INTEGER)) ?? 1;
    const done = await withAdmin(context, async (admin) => {
      const { checkpoint } = await admin.call('audit.checkpoint', { key: context.sdk.newIdempotencyKey() });
      const until = signedSeq(checkpoint);
      if (from > until) throw beyond(from, until);
      const sink = await openSink(context, args.out, { mode: 0o600, exclusive: true });
      try {
        const head = await copyRecords(context, admin, { from, until, sink });
        await sink.write(formatLine({ checkpoint }));
        return { file: args.out, from, until, head };
      } finally {
        await sink.close();
      }
    });
    const note = `Records ${from} to ${done.until} are in ${quote(args.out)}; prove it: berth audit verify ${args.out}`;
    return { document: done, text: '', notes: [note] };
  },
});

interface Copying {
  readonly from: number;
  readonly until: number;
  readonly sink: Sink;
}

/** @returns the hash that the last record leads to */
async function copyRecords(
  context: Context,
  admin: AdminConnection,
  { from, until, sink }: Copying,
): Promise<string> {
  let hash: string | null = null;
  let pieces: Uint8Array[] = [];
  let next: ResultOf<'audit.records'>['next'] = { seq: from, offset: 0 };
  while (next !== null && next.seq <= until) {
    context.progress.say(`copying records (${next.seq} of ${until})`);
    const answer: ResultOf<'audit.records'> = await admin.call('audit.records', { from: next, until });
    let lines = '';
    for (const { seq, prev, offset, size, bytes } of answer.parts) {
      if (hash === null) lines += formatLine(headLine(admin, from, prev));
      hash ??= prev;
      const piece = Buffer.from(bytes, 'base64url');
      pieces.push(piece);
      if (offset + piece.length < size) continue;
      const payload = Buffer.concat(pieces);
      pieces = [];
      hash = chainHash(seq, hash, payload);
      lines += formatLine({ seq, hash, payload: textOf(payload, seq) });
    }
    await sink.write(lines);
    if (answer.next !== null && answer.parts.length === 0) throw new Error('the server sends no records');
    next = answer.next;
  }
  return hash ?? NO_HASH;
}

function headLine(admin: AdminConnection, from: number, prev: string) {
  return { berth: 'audit', version: 1, server: admin.me.server.key, from, prev } as const;
}

/** JSON in UTF-8, as the server writes it: anything else would not come back as the same bytes. */
function textOf(payload: Buffer, seq: number): string {
  const text = payload.toString('utf8');
  if (encodeBase64Url(Buffer.from(text)) === encodeBase64Url(payload)) return text;
  throw new Error(`record ${seq} is not text`);
}

function signedSeq(checkpoint: string): number {
  const parsed = parseToken('checkpoint', checkpoint);
  if (!parsed.ok) throw new Error(`the server sent no checkpoint (${parsed.fault})`);
  return parsed.token.claims.seq;
}

function beyond(from: number, until: number): Failure {
  return new Failure('USAGE', {
    message: `--from ${from} is beyond the end: the journal has records up to ${until}.`,
    next: 'Give a record that is there, or come back later.',
  });
}
