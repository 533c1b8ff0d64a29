import type { HealthWarning } from '@berth/protocol';
import type { BackupTimer } from './backup/timer.js';
import { type ClockReading, readClock } from './domain/clock.js';
import { restoreView } from './domain/decide/restore.js';
import { organisationOf, type State } from './domain/state.js';
import type { OlderRecords } from './older-records.js';
import type { Clock } from './ops/clock.js';
import { CLOCK_CODES } from './ops/clock-watch.js';
import type { DiskWatch } from './ops/disk.js';
import type { Health } from './ops/health.js';
import type { Metrics } from './ops/metrics.js';
import type { CertificateKeeper } from './transport/certificate-keeper.js';

interface Watched {
  readonly clock: Clock;
  readonly recovered: { readonly state: State };
  readonly metrics: Metrics;
  readonly disk: DiskWatch;
  readonly keeper: CertificateKeeper;
  readonly backupTimer: BackupTimer;
  readonly older: OlderRecords;
}

export function clockOf({ recovered, clock }: Pick<Watched, 'recovered' | 'clock'>): ClockReading {
  return readClock(recovered.state, clock.now());
}

/** Somebody has to know of it, for as long as it keeps seats back; that the folder was put back, until an admin has answered for it. */
function restoreTrouble({ recovered, clock }: Pick<Watched, 'recovered' | 'clock'>): HealthWarning | null {
  const view = restoreView(recovered.state, clock.now());
  if (view === null || view.accepted !== null) return null;
  if (view.cause === 'rolledBack') return 'ROLLED_BACK';
  return view.holding || view.reserves.length > 0 || view.missing.length > 0 ? 'RESTORED' : null;
}

/** What is wrong although the server serves, in `/readyz` and `/metrics`. */
export function showTroubles(watched: Watched, health: Health): void {
  const { metrics, disk, keeper } = watched;
  health.watch(() => {
    const { state } = clockOf(watched);
    return state === 'trusted' ? null : CLOCK_CODES[state];
  });
  health.watch(() => (disk.low ? 'DISK_LOW' : null));
  health.watch(() => (keeper.expiring ? 'CERTIFICATE_EXPIRING' : null));
  health.watch(() => restoreTrouble(watched));
  health.watch(() => (watched.backupTimer.view.failed === null ? null : 'BACKUP_FAILED'));
  health.watch(() => watched.older.trouble);
  metrics.gauge(
    'berth_journal_unread_records',
    'Older records that the start did not verify and nobody has since.',
    () => watched.older.unread,
  );
  metrics.gauge('berth_backup_age_seconds', 'Since the last backup was made; -1: there is none.', () => {
    const last = organisationOf(watched.recovered.state).backup;
    return last === undefined ? -1 : Math.max(0, watched.clock.now().wallMs - last.atMs) / 1000;
  });
  metrics.gauge('berth_restore_keeps_back', '1: see berth restore show.', () =>
    restoreTrouble(watched) === null ? 0 : 1,
  );
  metrics.gauge(
    'berth_certificate_expires_timestamp_seconds',
    'When the TLS certificate ends, seconds since 1970.',
    () => keeper.current.notAfterMs / 1000,
  );
  const off = (state: ClockReading['state']) => () => {
    const clock = clockOf(watched);
    return clock.state === state ? clock.offMs / 1000 : 0;
  };
  const trusted = (): number => (clockOf(watched).state === 'trusted' ? 1 : 0);
  metrics.gauge('berth_clock_trusted', '0: see berth clock show.', trusted);
  metrics.gauge('berth_clock_behind_seconds', 'Behind what was seen: nothing is granted.', off('behind'));
  metrics.gauge('berth_clock_ahead_seconds', 'Jumped ahead: nothing ends by it.', off('ahead'));
  metrics.gauge('berth_disk_low', '1: below disk.low-mib, nothing is granted.', () => (disk.low ? 1 : 0));
  metrics.gauge('berth_disk_free_bytes', 'Free space for the data folder.', () => disk.freeBytes);
}
