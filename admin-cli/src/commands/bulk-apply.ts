import type { AdminConnection } from '@berth/client';
import type { BulkJobInfo, BulkKind } from '@berth/protocol';
import { bulkOptions, countWords, kindPositional, readBulk, sendTable } from '../bulk.js';
import { defineCommand } from '../command.js';
import { confirm } from '../confirm.js';
import type { Context } from '../context.js';
import { withAdmin } from '../session.js';

export const bulkApply = defineCommand({
  usage: 'apply <kind>',
  describe: 'Do what each row of a table asks for; each row succeeds or fails alone',
  positionals: kindPositional,
  options: {
    ...bulkOptions,
    again: {
      type: 'boolean',
      default: false,
      describe: 'a new job, although these rows were applied before',
    },
  },
  examples: [
    ['berth bulk apply invite --csv people.csv', 'everybody of a table'],
    ['berth bulk apply remove --csv gone.csv --yes', 'without being asked'],
    ['berth bulk report j-7k2m --failures --csv > failed.csv', 'and what failed, to mend and apply'],
  ],
  more: 'The server does it, and goes on where it was if it is stopped in the middle: the command may be ended, `berth bulk list` shows the job. The same rows again are the same job, unless --again. If a row failed the exit code is 1.',
  exits: [[1, 'some rows failed; the report says which and why']],
  run: async (context, args) => {
    const kind = args.kind as BulkKind;
    const { asked, rows } = await readBulk(context, kind, args);
    if (kind === 'remove' || kind === 'revoke')
      await confirm(
        context,
        `${kind === 'remove' ? 'Remove users' : 'Take seats back'}, ${rows.rows.length} rows?`,
      );
    const result = await withAdmin(context, async (admin) => {
      await sendTable(context, admin, asked.upload, rows);
      const key = context.sdk.newIdempotencyKey();
      const begun = await admin.call('bulk.apply', { key, ...asked, ...(args.again ? { again: true } : {}) });
      return { ...begun, job: await untilDone(context, admin, begun.job) };
    });
    const { job, existing, ignored } = result;
    return {
      document: result,
      text: '',
      notes: [
        ...(ignored.length === 0 ? [] : [`Columns that are not read: ${ignored.join(', ')}.`]),
        ...(existing
          ? [`These rows were applied before, by ${job.by}: this is that job. --again makes a new one.`]
          : []),
        `${countWords(job)}: berth bulk report ${job.id}${job.failed > 0 ? ' --failures' : ''}`,
      ],
      exitCode: job.failed > 0 ? 1 : 0,
    };
  },
});

/** How long until the job is looked at again, ms. */
const LOOK_MS = 100;

async function untilDone(context: Context, admin: AdminConnection, job: BulkJobInfo): Promise<BulkJobInfo> {
  let now = job;
  while (now.endedAtMs === undefined) {
    const decided = now.done + now.unchanged + now.failed;
    context.progress.say(bar(decided, now.rows));
    await new Promise<void>((resolve) => {
      context.processes.after(LOOK_MS, resolve);
    });
    now = (await admin.call('bulk.report', { id: job.id, limit: 1 })).job;
  }
  return now;
}

const WIDTH = 20;

function bar(decided: number, rows: number): string {
  const full = Math.floor((decided / Math.max(1, rows)) * WIDTH);
  return `[${'#'.repeat(full)}${'.'.repeat(WIDTH - full)}] row ${decided} of ${rows}`;
}
