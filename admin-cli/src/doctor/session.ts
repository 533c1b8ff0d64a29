import type { Context as Joined } from '@berth/client';
import { roleAtLeast } from '@berth/protocol';
import type { Context } from '../context.js';
import { toFailure } from '../fail.js';
import { identity } from '../session.js';
import { spanWords } from '../words.js';
import { type Check, fail, inTime, ok, warn } from './check.js';

// What only a session tells: that the server has the pinned key, that it knows this device, what its clock says, and its version.

/** Beyond this nobody lends: sigma / 2 (I3). */
const lendMs = 450_000;
const noticeMs = 60_000;

export async function lookAtSession(context: Context): Promise<Check[]> {
  const beforeMs = context.nowMs();
  try {
    const lease = await inTime(context, (signal) => context.sdk.openLease({ ...identity(context), signal }));
    const afterMs = context.nowMs();
    const { me } = lease;
    await lease.close();
    const detail = `signed in at ${me.address} as ${me.user.email} (${me.user.role}); the server has the pinned key`;
    return [ok('session', detail), lookAtClock(me.nowMs, beforeMs, afterMs)];
  } catch (thrown) {
    const { code, message, next } = toFailure(thrown);
    return [fail('session', code, message, next)];
  }
}

/** The server read its clock between two readings of ours: what lies outside of them is certain. */
export function lookAtClock(serverMs: number, beforeMs: number, afterMs: number): Check {
  const offMs = serverMs < beforeMs ? serverMs - beforeMs : Math.max(0, serverMs - afterMs);
  if (offMs === 0) return ok('clock', `as the server's, to within ${spanWords(afterMs - beforeMs)}`);
  const words = `This computer is ${spanWords(Math.abs(offMs))} ${offMs > 0 ? 'behind' : 'ahead of'} the server.`;
  const fix = 'Set the clock of this computer right: timedatectl set-ntp true';
  if (Math.abs(offMs) > lendMs) return fail('clock', 'CLOCK_SKEW', `${words} Nothing can be borrowed.`, fix);
  return Math.abs(offMs) > noticeMs ? warn('clock', words, fix) : ok('clock', words);
}

/** For those who administer: the admin path, and what it says. */
export async function lookAtAdministration(
  context: Context,
  joined: Joined,
): Promise<{ checks: Check[]; serverVersion: string | null }> {
  if (!joined.scopes.includes('admin')) return { checks: [], serverVersion: null };
  try {
    const admin = await inTime(context, (signal) => context.sdk.openAdmin({ ...identity(context), signal }));
    try {
      const may = roleAtLeast(admin.me.user.role, 'viewer');
      const shown = may ? await inTime(context, () => admin.call('organisation.show', {})) : null;
      const check = ok('admin', `the admin channel answers at ${admin.me.address}`);
      return { checks: may ? [check, backupAge] : [check], serverVersion: shown?.version ?? null };
    } finally {
      await admin.close();
    }
  } catch (thrown) {
    const { code, message, next } = toFailure(thrown);
    return {
      checks: [fail('admin', code, message, next)],
      serverVersion: null,
    };
  }
}

/** There is nothing to ask yet, and no news is not good news. */
const backupAge = warn(
  'backup',
  'The age of the last backup is not known to this server yet.',
  'Look on the server whether its data folder is backed up (docs/site-it.md), and when it last was.',
);
