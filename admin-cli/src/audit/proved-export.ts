import type { AdminConnection } from '@berth/client';
import type { Verify } from '@berth/protocol';
import type { Context } from '../context.js';
import { Failure } from '../fail.js';
import { codeOf, fileExists, type OnDisk, readLines, toNewFile } from '../files.js';
import type { Sdk } from '../sdk.js';
import { formatLine } from './audit-file.js';
import { copyRecords } from './copy-records.js';
import { verifyAudit } from './verify.js';

export interface Extent {
  readonly from: number;
  readonly until: number;
  /** The hash of the last of them, as the server says. */
  readonly head: string;
}

/** What an export touches of the outside world. */
export interface Exporting
  extends Pick<Context, 'progress'>,
    OnDisk<'create' | 'chunks' | 'name' | 'remove'> {
  readonly sdk: Pick<Sdk, 'newIdempotencyKey'>;
}

/**
 * Writes these records beside the name `out`, proves them as `berth audit verify` does, and only then they have that name, durably. Neither a
 * file of that name nor one beside it is ever replaced or removed that this did not make. @throws Failure
 * @param verify left out: Ed25519, strictly
 */
export async function exportProved(
  context: Exporting,
  admin: AdminConnection,
  { from, until, head }: Extent,
  out: string,
  verify?: Verify,
): Promise<void> {
  const key = context.sdk.newIdempotencyKey();
  const { checkpoint } = await admin.call('audit.checkpoint', { key, until });
  const unfinished = `${out}.new`;
  await toNewFile(context, unfinished, async (sink) => {
    await copyRecords(context, admin, { from, until, sink });
    await sink.write(formatLine({ checkpoint }));
  });
  try {
    context.progress.say('proving the file');
    const against = {
      serverKey: admin.me.server.key,
      known: [],
      ...(verify === undefined ? {} : { verify }),
    };
    const verdict = await verifyAudit(readLines(context, unfinished), against);
    if (!verdict.ok) throw unproved(`is not whole, so nothing was removed. ${verdict.message}`);
    if (verdict.from !== from || verdict.until !== until || verdict.head !== head)
      throw unproved('is not what the server said it has, so nothing was removed.');
    await context.files.name(unfinished, out);
  } catch (error) {
    await context.files.remove(unfinished).catch(() => undefined);
    throw codeOf(error) === 'EEXIST' ? fileExists(out) : error;
  }
}

function unproved(what: string): Failure {
  return new Failure('AUDIT_BROKEN', { message: `What was exported ${what}` });
}
