import { exportProved } from '@berth/cli/audit/proved-export';
import { refusalOf, removeRecords } from '@berth/cli/audit/removal';
import { Failure } from '@berth/cli/fail';
import { type AdminConnection, newIdempotencyKey } from '@berth/client';
import type { AuditSegment } from '@berth/protocol';
import type { Desk } from './office.js';

/** File operations of a prune, and of what else goes on meanwhile. */
const OPERATIONS = 45;
/** Steps of the disk in a prune: what it writes, syncs, renames and removes. */
const STEPS = 24;

/**
 * As `berth audit prune` does, with what it is made of: the oldest files of the journal go to a file of the admin's, which is proved, and only then
 * the server is asked to let go of them. What becomes of the file is the command's to say; the auditor counts on it.
 */
export async function pruneJournal(office: Desk): Promise<void> {
  const { admin, dice, site } = office;
  // The others are refused, once they have exported: that is looked at, but not every time.
  if (admin.me.user?.role !== 'owner' && dice.chance(0.8)) return;
  const { segments } = await admin.call('audit.segments', {});
  if (segments.length === 0) return;
  const going = segments.slice(0, dice.between(1, segments.length));
  const out = site.adminFiles.newName();
  try {
    await exportAndRemove(office, going, out);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    if (error.code === 'INTERNAL') throw new Error(error.message);
    if (error.code === 'AUDIT_BROKEN') await explained(admin, going[0]!, error);
  }
}

async function exportAndRemove(office: Desk, going: readonly AuditSegment[], out: string): Promise<void> {
  const { admin, dice, host, site } = office;
  const { until, head } = going.at(-1)!;
  const giveUp = new AbortController();
  const context = {
    ...{ files: site.adminFiles, progress: { say: () => {} }, signal: giveUp.signal },
    sdk: { newIdempotencyKey: () => newIdempotencyKey(host) },
    processes: { after: (delayMs: number, call: () => void) => host.setTimer(call, delayMs) },
  };
  // All that is here is of the last 30 days: it goes only where that is said.
  const recent = dice.chance(0.9);
  const removal = { until, head, ...(recent ? { recent } : {}) };
  const refusal = await refusalOf(admin, removal, false);
  // Some export all the same, and are refused then.
  if (refusal !== null && dice.chance(0.7)) throw refusal;
  await exportProved(context, admin, { from: going[0]!.from, until, head }, out, host.verify);
  disturb(office);
  // Somebody who presses Ctrl-C does not know what the server did: most of these have to come while it is at it.
  if (dice.chance(0.2)) host.setTimer(() => giveUp.abort(), dice.about(dice.pick([50, 500])));
  await removeRecords(context, admin, removal, out);
  if (!recent) site.violation('records of today were pruned, and nobody had said that they are meant');
  rebuildSoon(office);
}

/** What was exported is not whole: only somebody who pruned meanwhile explains it. */
async function explained(admin: AdminConnection, { from }: AuditSegment, error: Failure): Promise<void> {
  const { pruned } = await admin.call('audit.segments', {});
  if ((pruned?.until ?? 0) < from) throw new Error(`an export is not whole: ${error.message}`);
}

/** The server dies somewhere in the middle of it, or its disk fails. */
function disturb({ site, dice }: Desk): void {
  if (!site.network.faulty || !dice.chance(0.5)) return;
  const { fate } = site.server;
  if (dice.chance(0.2)) {
    site.tellFault('diskFailsInPrune');
    fate.failAtStep(dice.between(1, STEPS), dice.pick(['EIO', 'ENOSPC']), dice.pick(['HALF', 'NONE']));
    return;
  }
  site.tellFault('killedInPrune');
  const doom = { operations: dice.below(OPERATIONS), promises: dice.below(OPERATIONS) };
  fate.dieAtOperation(doom, dice.pick(['ALL', 'NONE', dice.below]));
}

/** The state has to be made anew from what is left, and the next start has to find its way past what somebody put beside it. */
function rebuildSoon({ site, dice }: Desk): void {
  const { server, network } = site;
  if (!dice.chance(0.4)) return;
  const forged = dice.chance(0.5);
  site.later(dice.about(60_000), () => {
    if (!network.faulty || !server.isUp) return;
    site.tellFault(forged ? 'rotsWithForgedBase' : 'rotsAfterPrune');
    if (forged) server.forgeBase();
    server.rotState(dice.below);
    server.crash(dice.pick(['ALL', 'NONE', dice.below]), true);
  });
}
