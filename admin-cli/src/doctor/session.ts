import type { Context as Joined } from '@berth/client';
import { type ErrorCode, type ResultOf, roleAtLeast } from '@berth/protocol';
import { restoreWarning } from '../commands/restore-show.js';
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
    return [fail('session', code, message, nextHere(code, next))];
  }
}

/** Elsewhere an unreachable server is sent to `berth doctor`, which has just looked. */
const nextHere = (code: ErrorCode, next: string): string =>
  code === 'UNREACHABLE' ? 'Mend what failed above for each server; then look again.' : next;

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
      const mail = may ? await admin.call('mail.list', { limit: 1 }).then(lookAtMail, () => []) : [];
      const restored = may ? await admin.call('restore.show', {}).catch(() => ({ restore: null })) : null;
      const restore = restored === null ? [] : lookAtRestore(restored);
      const fromMs = restored?.restore?.backupAtMs ?? null;
      const backup = may
        ? await admin.call('backup.show', {}).then(
            (made) => [lookAtBackup(made, context.nowMs(), fromMs)],
            () => [unknownBackup],
          )
        : [];
      return { checks: [check, ...backup, ...mail, ...restore], serverVersion: shown?.version ?? null };
    } finally {
      await admin.close();
    }
  } catch (thrown) {
    const { code, message, next } = toFailure(thrown);
    const check =
      code === 'NOT_ALLOWED' ? noAdmin(joined.email) : fail('admin', code, message, nextHere(code, next));
    return { checks: [check], serverVersion: null };
  }
}

/** Nothing is broken: seats are had on the other channel. */
const noAdmin = (email: string): Check =>
  warn(
    'admin',
    `This device has a key for the admin channel, but ${email} does not administer the organisation any more; seats are not affected.`,
    `None is needed. To administer again, ask an owner: berth user set ${email} --role viewer, or admin`,
  );

/** Twice the timer's own time, or without one a week: whoever makes them by hand has a weekly habit. */
const WEEK_MS = 7 * 86_400_000;

/** @param fromMs when the backup was made that this server was restored from */
export function lookAtBackup(
  { last, everyMs, failed }: ResultOf<'backup.show'>,
  nowMs: number,
  fromMs: number | null,
): Check {
  const fix = 'berth backup create --out FILE, or let the server make them: backup.hours (docs/site-it.md)';
  if (failed !== null)
    return warn(
      'backup',
      `The last backup of the server's timer failed: ${failed}.`,
      'See the log of berthd; check backup.folder and backup.passphrase-file.',
    );
  if (fromMs !== null && (last === null || last.atMs <= fromMs))
    return warn(
      'backup',
      `This server was restored from a backup that is ${spanWords(Math.max(0, nowMs - fromMs))} old, and was not backed up since.`,
      fix,
    );
  if (last === null) return warn('backup', 'This server was never backed up.', fix);
  const ageMs = Math.max(0, nowMs - last.atMs);
  const words = `the last backup is ${spanWords(ageMs)} old`;
  return ageMs > (everyMs === null ? WEEK_MS : 2 * everyMs)
    ? warn('backup', `${words}.`, fix)
    : ok('backup', words);
}

/** Whoever was invited and has no link does not know it. */
export function lookAtMail({ configured, failed = 0, waiting = 0, fault }: ResultOf<'mail.list'>): Check[] {
  const read = 'berth mail list --state failed says why; when it is mended: berth mail retry --all';
  const off = 'Set mail.smtp of berthd (docs/site-it.md); until then: berth mail list, berth mail show ID';
  const mend =
    'Check mail.smtp, mail.security, mail.ca, mail.user and its password (docs/site-it.md), then on the server: systemctl reload berthd; berth mail test tries it';
  if (fault !== undefined && waiting > 0)
    return [
      warn(
        'mail',
        `the mail server cannot be used: ${fault.replace(/\.$/, '')}; ${waiting} waiting, ${failed} refused or given up`,
        mend,
      ),
    ];
  if (failed > 0) return [warn('mail', `${mails(failed)} refused or given up; ${waiting} waiting`, read)];
  if (!configured && waiting > 0)
    return [warn('mail', `no mail server is configured; ${waiting} waiting`, off)];
  if (!configured) return [ok('mail', 'no mail server is configured: nothing is sent by itself')];
  return [
    ok('mail', waiting === 0 ? 'nothing waits, nothing was refused' : `${waiting} waiting, none refused`),
  ];
}

const mails = (count: number): string => (count === 1 ? '1 mail was' : `${count} mails were`);

function lookAtRestore(shown: ResultOf<'restore.show'>): Check[] {
  const warning = restoreWarning(shown);
  return warning === null
    ? []
    : [
        warn(
          'restore',
          warning,
          'Wait, or answer for it that nothing is out: berth restore accept --reason TEXT',
        ),
      ];
}

/** An older server does not tell, and no news is not good news. */
const unknownBackup = warn(
  'backup',
  'The age of the last backup is not known to this server yet.',
  'Look on the server whether its data folder is backed up (docs/site-it.md), and when it last was.',
);
