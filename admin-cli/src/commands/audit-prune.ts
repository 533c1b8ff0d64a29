import type { AdminConnection } from '@berth/client';
import { type AuditSegment, formatMinute, type ResultOf } from '@berth/protocol';
import { exportProved } from '../audit/proved-export.js';
import { refusalOf, removeRecords } from '../audit/removal.js';
import { defineCommand } from '../command.js';
import { confirm } from '../confirm.js';
import type { Context } from '../context.js';
import { type Failure, failureJson, usage } from '../fail.js';
import { fileExists } from '../files.js';
import { type Answer, table } from '../output.js';
import { parseDay, parseDurationSeconds, quote } from '../parse.js';
import { cancellable, withAdminForSteps } from '../session.js';

export const auditPrune = defineCommand({
  usage: 'prune',
  describe: 'Export old records of the journal to a file, prove the file, and remove them from the server',
  options: {
    'older-than': { type: 'string', describe: 'what is older than this: 365d, 8760h' },
    before: { type: 'string', describe: 'what is from before this UTC day: 2026-01-01' },
    out: { type: 'string', demandOption: true, describe: 'file to export them to, which must not exist' },
    recent: {
      type: 'boolean',
      default: false,
      describe: 'also records of the last 30 days, which are kept otherwise',
    },
    'dry-run': { type: 'boolean', default: false, describe: 'show what would go, and change nothing' },
  },
  examples: [
    [
      'berth audit prune --older-than 365d --out audit-2025.jsonl --dry-run',
      'which records, how old, how many bytes',
    ],
    ['berth audit prune --older-than 365d --out audit-2025.jsonl --yes', 'export, prove, remove'],
    ['berth audit verify audit-2025.jsonl', 'and prove the file again, whenever'],
  ],
  more: 'Keep the file: it is the only place that has these records from then on. Whole files of the journal go, and never the one that is written: what is left may begin earlier than the day you say. The server is asked first whether they may go, and --dry-run says what it answers. Nothing is removed before the file was written, read again and found whole, with the signature of the server over its end. For owners only; the journal has who did it. Backups made before still have these records.',
  exits: [[8, 'it may not be pruned so, or not now; nothing was removed']],
  run: async (context, args) => {
    const beforeMs = parseBefore(context, args);
    if (await context.files.exists(args.out)) throw fileExists(args.out);
    return await withAdminForSteps(context, async (admin) => {
      const found = await cancellable(context, exported(context, admin, beforeMs, args));
      // From here on Ctrl-C has to say what it leaves.
      return 'going' in found ? await pruned(context, admin, found.going, args) : found;
    });
  },
});

interface Asked {
  readonly out: string;
  readonly recent: boolean;
  readonly 'dry-run': boolean;
}

/** What may be removed now that it is in a proved file; an answer where there is nothing, or nothing shall be. */
async function exported(
  context: Context,
  admin: AdminConnection,
  beforeMs: number,
  { out, recent, 'dry-run': dryRun }: Asked,
): Promise<{ readonly going: Going } | Answer> {
  const going = await oldSegments(context, admin, beforeMs);
  if (going.length === 0) return nothingToDo(beforeMs);
  const extent = extentOf(going);
  // Before an export, which may take an hour, and again behind it by the removal itself.
  const refusal = await refusalOf(admin, { ...extent, recent }, dryRun);
  if (dryRun) return planned(going, refusal);
  if (refusal !== null) throw refusal;
  const { from, until, bytes } = extent;
  await confirm(
    context,
    `Remove records ${from} to ${until} (${mib(bytes)}) from the server, once they are in ${quote(out)}?`,
  );
  await exportProved(context, admin, extent, out);
  return { going };
}

type Going = readonly AuditSegment[];

function parseBefore(
  { nowMs }: Pick<Context, 'nowMs'>,
  args: { readonly 'older-than': string | undefined; readonly before: string | undefined },
): number {
  const { 'older-than': age, before } = args;
  if ((age === undefined) === (before === undefined))
    throw usage('Say how old: one of --older-than and --before.', 'For example: --older-than 365d');
  if (before !== undefined) return Date.parse(parseDay(before, '--before'));
  return nowMs() - parseDurationSeconds(age!, '--older-than') * 1000;
}

/** The oldest files of the journal, as long as all in them is older. */
async function oldSegments(context: Context, admin: AdminConnection, beforeMs: number): Promise<Going> {
  const going: AuditSegment[] = [];
  for (let from: number | null = 0; from !== null; ) {
    context.progress.say('looking into the journal');
    const found: ResultOf<'audit.segments'> = await admin.call('audit.segments', { from });
    for (const segment of found.segments) {
      // One that names no moment is of a berthd that kept none.
      if (segment.untilMs !== null && segment.untilMs >= beforeMs) return going;
      going.push(segment);
    }
    if (found.next !== null && found.next <= from)
      throw new Error('the server repeats a file of the journal');
    from = found.next;
  }
  return going;
}

function extentOf(going: Going): { from: number; until: number; head: string; bytes: number } {
  const last = going.at(-1)!;
  const bytes = going.reduce((sum, segment) => sum + segment.bytes, 0);
  return { from: going[0]!.from, until: last.until, head: last.head, bytes };
}

async function pruned(
  context: Context,
  admin: AdminConnection,
  going: Going,
  { out, recent }: Asked,
): Promise<Answer> {
  const { until, head } = extentOf(going);
  const done = await removeRecords(context, admin, { until, head, ...(recent ? { recent } : {}) }, out);
  const { from, bytes } = done;
  const days = daysOf(going);
  return {
    document: { file: out, from, until, head, ...days, bytes, pruned: done.pruned },
    text: '',
    notes: [
      `Records ${from} to ${until} (${daysText(days)}) are in ${quote(out)}, proved, and not on the server any more: ${mib(bytes)} freed there.`,
      'Keep the file: it is the only place that has them. The journal goes on from there, and says who pruned it.',
    ],
  };
}

function nothingToDo(beforeMs: number): Answer {
  const before = beforeMs % 86_400_000 === 0 ? day(beforeMs) : formatMinute(beforeMs);
  const note = `No whole file of the journal is from before ${before}: nothing was exported or removed.`;
  return { document: { segments: [], pruned: null }, text: '', notes: [note] };
}

function planned(going: Going, refusal: Failure | null): Answer {
  const { from, until, bytes } = extentOf(going);
  const what = `export and remove records ${from} to ${until} (${daysText(daysOf(going))}), ${mib(bytes)}`;
  const said = refusal && failureJson(refusal);
  return {
    document: { dryRun: true, from, until, ...daysOf(going), bytes, segments: going, refused: said },
    text: (screen) =>
      table(
        going,
        [
          { title: 'RECORDS', weight: 'id', cell: (row) => `${row.from} to ${row.until}` },
          { title: 'OF', cell: (row) => daysText(row) },
          { title: 'BYTES', cell: (row) => row.bytes },
        ],
        screen,
      ),
    notes:
      refusal === null
        ? [`Would ${what}. Nothing was changed.`]
        : [
            `Would not ${what}. Nothing was changed.`,
            `Would be refused: ${refusal.code} ${refusal.message} ${refusal.next}`,
          ],
    exitCode: refusal?.exitCode ?? 0,
  };
}

interface Days {
  readonly fromMs: number | null;
  readonly untilMs: number | null;
}

function daysOf(going: Going): Days {
  const known = (ms: number | null): ms is number => ms !== null;
  const [firsts, lasts] = [
    going.map(({ fromMs }) => fromMs).filter(known),
    going.map(({ untilMs }) => untilMs).filter(known),
  ];
  return {
    fromMs: firsts.length === 0 ? null : Math.min(...firsts),
    untilMs: lasts.length === 0 ? null : Math.max(...lasts),
  };
}

function daysText({ fromMs, untilMs }: Days): string {
  if (fromMs === null || untilMs === null) return 'of days that they do not say';
  return day(fromMs) === day(untilMs) ? day(fromMs) : `${day(fromMs)} to ${day(untilMs)}`;
}

const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

function mib(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}
