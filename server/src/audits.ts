import { join } from 'node:path';
import { AuditLog } from './audit/audit-log.js';
import { Pruner } from './audit/pruner.js';
import type { BackupSource } from './backup/source.js';
import type { DataFolder } from './data-folder.js';
import type { Engine } from './engine/engine.js';
import type { Issuer } from './engine/issuer.js';
import type { Recovered } from './engine/recover.js';
import { OlderRecords } from './older-records.js';
import type { Clock } from './ops/clock.js';
import { componentLog, type Log } from './ops/log.js';
import type { FileSystem } from './store/files.js';
import type { StateStore } from './store/state-store.js';

interface Parts {
  readonly recovered: Pick<Recovered, 'state' | 'journal'>;
  readonly store: StateStore;
  readonly engine: Engine;
  readonly issuer: Issuer;
  readonly clock: Clock;
  readonly backups: BackupSource;
  /** Below this many free bytes the disk is low. */
  readonly lowBytes: () => number;
}

/** What a running server does with the records that it has: searches them, verifies the older ones, and lets go of those that were exported. */
export function openAudit(
  options: { readonly folder: DataFolder; readonly log: Log; readonly onFatal: (error: unknown) => void },
  files: FileSystem,
  { recovered: { state, journal }, store, engine, issuer, clock, backups, lowBytes }: Parts,
): { readonly audit: AuditLog; readonly older: OlderRecords; readonly pruner: Pruner } {
  const { folder, onFatal } = options;
  const log = componentLog(options.log, 'store');
  const wallMs = (): number => clock.now().wallMs;
  const audit = new AuditLog(files, journal, join(folder.path, 'audit'));
  const older = new OlderRecords({ files, journal, log, renewBase: (at) => pruner.renew(at) });
  const pruner = new Pruner({
    ...{ state, journal, audit, store, backups, onFatal, log, spareBytes: lowBytes },
    // A clock that jumps ahead makes nothing old (I5).
    wallMs: () => clock.now().steadyWallMs,
    older: () => (older.reading ? 'reading' : older.trouble === 'JOURNAL_DAMAGED' ? 'damaged' : null),
    submit: (command) => engine.submit(command),
    sign: ({ seq, hash }) => {
      const head = Buffer.from(hash, 'hex').toString('base64url');
      return issuer.issue('checkpoint', { ...engine.witness, seq, head, iat: Math.floor(wallMs() / 1000) });
    },
  });
  return { audit, older, pruner };
}
