import { type AdminConnection, BerthError } from '@berth/client';
import type { ErrorCode, ParamsOf, ResultOf } from '@berth/protocol';
import type { Context } from '../context.js';
import { Failure, isMethodUnknown, toFailure } from '../fail.js';
import { quote } from '../parse.js';
import { cancellable } from '../session.js';
import type { Exporting } from './proved-export.js';

export type Removal = Omit<ParamsOf<'audit.prune'>, 'key'>;

/** What a removal touches of the outside world. */
export interface Removing extends Exporting, Pick<Context, 'signal'> {
  readonly processes: Pick<Context['processes'], 'after'>;
}

/**
 * Why nothing would go now, as the server says; null: it would.
 * @param dryRun nothing is asked behind it: then a server that knows no such question gave no answer
 * @throws Failure what is no answer
 */
export async function refusalOf(
  admin: AdminConnection,
  { until, head, recent }: Removal,
  dryRun: boolean,
): Promise<Failure | null> {
  try {
    await admin.call('audit.prune.preview', { until, head, ...(recent ? { recent } : {}) });
    return null;
  } catch (error) {
    if (error instanceof BerthError && refusals.has(error.code)) return toFailure(error);
    // A server that removes records and cannot be asked before is asked then.
    if (!dryRun && isMethodUnknown(error)) return null;
    throw error;
  }
}

const refusals: ReadonlySet<ErrorCode> = new Set(['PRUNE_REFUSED', 'PRUNE_BUSY']);

/**
 * Refused so, none of these records can have gone, whatever became of an earlier try: what was removed is answered before these are looked at.
 * A rule that is not among them (PRUNED; one of a later server) may mean the opposite.
 */
const nothingWent: ReadonlySet<string> = new Set([
  ...['SEGMENT', 'HEAD', 'RECENT', 'DAMAGED', 'BASE'].map((rule) => `PRUNE_REFUSED ${rule}`),
  ...['BACKUP', 'VERIFYING'].map((rule) => `PRUNE_BUSY ${rule}`),
]);

/** The server may have done it, or be about to: asked again with the same key, it says what it did (I7). */
const unanswered: ReadonlySet<ErrorCode> = new Set(['TIMEOUT', 'CONNECTION_LOST', 'UNREACHABLE']);

/** A base of gigabytes takes minutes to write and to read again; the SDK is patient for half a minute at a time. */
const TRIES = 20;

/** A backup that began during the export ends by itself: so often, and so far apart, it is asked again. */
const BUSY_TRIES = 120;
const BUSY_MS = 5000;

/**
 * Has the server remove what is in the proved file `out`. Whatever comes of it, the file stays: it took a while, is whole, and may be the only
 * place that has the records. @throws Failure
 */
export async function removeRecords(
  context: Removing,
  admin: AdminConnection,
  removal: Removal,
  out: string,
): Promise<ResultOf<'audit.prune'>> {
  const params = { key: context.sdk.newIdempotencyKey(), ...removal };
  context.progress.say('waiting for the server to remove the records');
  try {
    return await cancellable(
      context,
      patiently(context, () => admin.call('audit.prune', params)),
    );
  } catch (error) {
    if (error instanceof BerthError && nothingWent.has(`${error.code} ${error.rule}`))
      throw keeping(error, out, 'REFUSED');
    throw keeping(error, out, await lookAgain(context, admin, removal));
  }
}

async function patiently<T>(context: Removing, ask: () => Promise<T>): Promise<T> {
  for (let [left, busy] = [TRIES, BUSY_TRIES]; ; ) {
    try {
      return await ask();
    } catch (error) {
      const code = error instanceof BerthError ? error.code : null;
      if (code === 'PRUNE_BUSY') busy -= 1;
      else left -= 1;
      const again = code === 'PRUNE_BUSY' || (code !== null && unanswered.has(code));
      if (!again || left === 0 || busy === 0 || context.signal.aborted) throw error;
      if (code !== 'PRUNE_BUSY') continue;
      await busyFor(context, toFailure(error).message);
      if (context.signal.aborted) throw error;
    }
  }
}

async function busyFor({ progress, processes }: Removing, why: string): Promise<void> {
  progress.say(`waiting to remove the records: ${why}`);
  await new Promise<void>((resolve) => {
    processes.after(BUSY_MS, resolve);
  });
}

/** Whether they are there now, as far as the server can say. */
async function lookAgain(
  context: Pick<Context, 'signal'>,
  admin: AdminConnection,
  { until }: Removal,
): Promise<'GONE' | 'THERE' | null> {
  if (context.signal.aborted) return null;
  try {
    const { pruned } = await admin.call('audit.segments', { from: until });
    return (pruned?.until ?? 0) >= until ? 'GONE' : 'THERE';
  } catch {
    return null;
  }
}

function keeping(thrown: unknown, out: string, found: 'REFUSED' | 'GONE' | 'THERE' | null): Failure {
  const { code, message, next, exitCode, detail } = toFailure(thrown);
  const file = quote(out);
  const words = {
    REFUSED: `Nothing was removed. ${file} is whole and was proved, and stays; the server has the records too.`,
    GONE: `The records were removed: keep ${file}, which was proved. It may be the only place that has them.`,
    THERE: `When asked once more, the server still had the records. A request that is on its way may yet remove them: keep ${file}, which was proved.`,
    none: `Whether the records were removed is not known: keep ${file}, which was proved.`,
  };
  return new Failure(code, {
    message: `${message} ${words[found ?? 'none']}`,
    next:
      found === 'REFUSED'
        ? next
        : 'Look what went: `berth audit list --kind journal.pruned --limit 5`. If these did not, prune again, to another file.',
    exitCode,
    detail,
  });
}
