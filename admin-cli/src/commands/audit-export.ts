import { parseToken } from '@berth/protocol';
import { formatLine } from '../audit/audit-file.js';
import { copyRecords } from '../audit/copy-records.js';
import { prunedNote } from '../audit/pruned.js';
import { defineCommand } from '../command.js';
import { Failure } from '../fail.js';
import { toNewFile } from '../files.js';
import { optional, parseCount, quote } from '../parse.js';
import { withAdmin } from '../session.js';

export const auditExport = defineCommand({
  usage: 'export',
  describe: 'Write the journal to a file that anybody can verify',
  options: {
    out: { type: 'string', demandOption: true, describe: 'file to write, which must not exist' },
    from: { type: 'string', describe: 'first record; the first that is there when left out' },
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
      const { pruned = null } = await admin.call('audit.list', { limit: 1 });
      const copied = await toNewFile(context, args.out, async (sink) => {
        const copying = await copyRecords(context, admin, { from, until, sink });
        await sink.write(formatLine({ checkpoint }));
        return copying;
      });
      return { file: args.out, ...copied, until, pruned };
    });
    const note = `Records ${done.from} to ${done.until} are in ${quote(args.out)}; prove it: berth audit verify ${args.out}`;
    return { document: done, text: '', notes: [note, ...(from < done.from ? prunedNote(done.pruned) : [])] };
  },
});

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
