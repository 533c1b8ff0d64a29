import type { AdminConnection } from '@berth/client';
import type { BulkJobInfo, BulkKind, ResultOf } from '@berth/protocol';
import { type BulkArgs, countWords, readBulk, rowCsv, rowTable, withTable } from './bulk.js';
import { confirm } from './confirm.js';
import type { Context } from './context.js';
import { Failure, toFailure, usage } from './fail.js';
import { fileExists, writeText } from './files.js';
import type { Answer } from './output.js';
import { listPages, parsePaging } from './pages.js';
import { given } from './parse.js';
import { withAdmin } from './session.js';
import { momentWords } from './words.js';

/** `--csv` of the commands that take addresses too: the rows go the way of `berth bulk`. */
export const csvOption = {
  csv: {
    type: 'string',
    describe: 'a table of them, as a spreadsheet saves it, as with `berth bulk`; - for stdin',
  },
} as const;

/**
 * Which of the two was given.
 * @param exclusive what goes with addresses alone, by option: true or a value where it was given
 * @throws UsageError when it was both or neither
 */
export function eitherCsv(
  emails: readonly unknown[] | undefined,
  csv: string | undefined,
  exclusive: Readonly<Record<string, unknown>>,
): string | null {
  const some = emails !== undefined && emails.length > 0;
  if (csv === undefined) {
    if (some) return null;
    throw usage('Nobody was named.', 'Give e-mail addresses, or a table of them with --csv FILE.');
  }
  if (some) throw usage('Addresses and --csv exclude each other.', 'Put the addresses into the table.');
  for (const [option, value] of Object.entries(exclusive))
    if (value !== undefined && value !== false)
      throw usage(`--${option} and --csv exclude each other.`, 'Give addresses, or leave the option out.');
  return csv;
}

export interface TableArgs extends BulkArgs {
  readonly again: boolean;
}

/** Makes a bulk job of a table and waits for its end. */
export async function applyTable(context: Context, kind: BulkKind, args: TableArgs): Promise<Answer> {
  const { asked, rows } = await readBulk(context, kind, args);
  if (kind === 'remove' || kind === 'revoke')
    await confirm(
      context,
      `${kind === 'remove' ? 'Remove users' : 'Take seats back'}, ${rows.rows.length} rows?`,
    );
  const result = await jobOf(context, asked, rows, args.again);
  const { job, existing, ignored } = result;
  return {
    document: result,
    text: '',
    notes: [
      ...unread(ignored),
      ...(existing
        ? [
            `Nothing was done now: these rows were applied before, ${momentWords(job.madeAtMs, context.nowMs())}, by ${job.by}, and this is the report of then. \`berth bulk apply ${kind} --again\` does it anew.`,
          ]
        : []),
      ...(!existing && job.rows < rows.rows.length
        ? [
            `The other rows were applied before, by somebody else: this job is of the ${job.rows} that they were not allowed.`,
          ]
        : []),
      `${countWords(job)}. See berth bulk report ${job.id}${job.failed > 0 ? ' --failures' : ''}`,
    ],
    exitCode: job.failed > 0 ? 1 : 0,
  };
}

/** Says what would become of each row; with `out` into a file. */
export async function previewTable(
  context: Context,
  kind: BulkKind,
  args: BulkArgs,
  out: string | undefined,
): Promise<Answer> {
  // Before anything is asked, and again when it is written: it may be the one that somebody has just edited.
  if (out !== undefined && (await context.files.exists(out))) throw fileExists(out);
  const { asked, rows } = await readBulk(context, kind, args);
  let counts:
    | Pick<ResultOf<'bulk.preview'>, 'rows' | 'done' | 'unchanged' | 'failed' | 'waits' | 'ignored'>
    | undefined;
  const list = await withAdmin(context, (admin) =>
    withTable(context, admin, asked.upload, rows, () => {
      context.progress.say('judging rows');
      return listPages(parsePaging({ limit: undefined, cursor: undefined }), async (page) => {
        const answer = await admin.call('bulk.preview', { ...asked, ...page });
        counts = answer;
        return answer;
      });
    }),
  );
  const { rows: all, done, unchanged, failed, waits, ignored } = counts!;
  const sums = given({ rows: all, done, unchanged, failed, waits });
  if (out !== undefined) await writeText(context, out, rowCsv(kind, list.items), { exclusive: true });
  return {
    document: { ...list, ...sums, ignored },
    text: (screen) => (out === undefined ? rowTable(kind, list.items, screen) : ''),
    notes: [
      ...unread(ignored),
      `Would be: ${countWords(sums)}. Nothing was changed.${out === undefined ? '' : ` The table is in ${out}.`}`,
    ],
    exitCode: failed > 0 ? 1 : 0,
  };
}

function unread(columns: readonly string[]): string[] {
  return columns.length === 0 ? [] : [`Columns that are not read: ${columns.join(', ')}.`];
}

/** Sends the rows, makes them a job, and waits for its end. */
async function jobOf(
  context: Context,
  asked: Awaited<ReturnType<typeof readBulk>>['asked'],
  rows: Awaited<ReturnType<typeof readBulk>>['rows'],
  again: boolean,
): Promise<ResultOf<'bulk.apply'>> {
  let job: BulkJobInfo | undefined;
  try {
    return await withAdmin(context, async (admin) => {
      const key = context.sdk.newIdempotencyKey();
      const begun = await withTable(context, admin, asked.upload, rows, () =>
        admin.call('bulk.apply', { key, ...asked, ...(again ? { again } : {}) }),
      );
      job = begun.job;
      return { ...begun, job: await untilDone(context, admin, begun.job) };
    });
  } catch (error) {
    throw job === undefined ? unknownWhether(error) : goesOn(error, job);
  }
}

/** Nobody heard of a job: there may be one all the same, and the same command finds it. */
function unknownWhether(error: unknown): Failure {
  const failure = toFailure(error);
  const { code, message, exitCode, detail } = failure;
  if (!['CANCELLED', 'UNREACHABLE', 'CONNECTION_LOST', 'TIMEOUT'].includes(code)) return failure;
  const next = 'See whether there is a job: berth bulk list. The same command again makes no second one.';
  return new Failure(code, { message, next, exitCode, detail });
}

/** What ends the waiting, Ctrl-C too, ends nothing else: the server has the rows, and carries on with them when it is back. */
function goesOn(error: unknown, { id }: BulkJobInfo): Failure {
  const { code, message, exitCode, detail } = toFailure(error);
  return new Failure(code, {
    message: `${message} The job ${id} goes on without this command, also after a restart of the server.`,
    next: `See what became of it: berth bulk report ${id}`,
    exitCode,
    detail: { ...detail, more: { ...detail.more, job: id } },
  });
}

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
