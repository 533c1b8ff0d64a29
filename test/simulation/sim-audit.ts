import { AuditLog } from '@berth/server/audit/audit-log';
import { Pruner } from '@berth/server/audit/pruner';
import { BackupSource } from '@berth/server/backup/source';
import type { Engine } from '@berth/server/engine/engine';
import type { Issuer } from '@berth/server/engine/issuer';
import type { Recovered } from '@berth/server/engine/recover';
import { OlderRecords } from '@berth/server/older-records';
import type { Clock } from '@berth/server/ops/clock';
import type { FileSystem } from '@berth/server/store/files';
import type { StateStore } from '@berth/server/store/state-store';
import type { Owner, SimTime } from './sim-time.js';

export interface AuditParts {
  readonly files: FileSystem;
  readonly folder: string;
  readonly recovered: Pick<Recovered, 'state' | 'journal'>;
  readonly store: StateStore;
  readonly engine: Engine;
  readonly issuer: Issuer;
  readonly clock: Clock;
  readonly time: SimTime;
  readonly owner: Owner;
  readonly onFatal: (error: unknown) => void;
  /** A record that the start did not read is not as it was written, or the base is not. */
  readonly onDamaged: (error: unknown) => void;
}

/** What a running server does with the records that it has, as audits.ts and server.ts put it together. */
export function simAudit(parts: AuditParts): {
  readonly audit: AuditLog;
  readonly source: BackupSource;
  readonly pruner: Pruner;
  readonly older: OlderRecords;
} {
  const { files, folder, store, engine, issuer, clock, time, owner, onFatal, onDamaged } = parts;
  const { state, journal } = parts.recovered;
  const wallMs = (): number => clock.now().wallMs;
  const audit = new AuditLog(files, journal, `${folder}/audit`);
  const source = new BackupSource(files, folder, journal, () => clock.now().monoMs);
  const nothing = (): void => {};
  const damaged = (told: unknown): void => onDamaged((told as { readonly err: unknown }).err);
  const older = new OlderRecords({
    ...{ files, journal },
    after: (delayMs, call) => time.after(delayMs, owner, call),
    log: { info: nothing, warn: damaged, error: damaged },
    renewBase: (at) => pruner.renew(at),
  });
  const pruner = new Pruner({
    ...{ state, journal, audit, store, backups: source, wallMs, onFatal },
    older: () => (older.reading ? 'reading' : older.trouble === 'JOURNAL_DAMAGED' ? 'damaged' : null),
    spareBytes: () => 0,
    submit: (command) => engine.submit(command),
    sign: ({ seq, hash }) => {
      const head = Buffer.from(hash, 'hex').toString('base64url');
      return issuer.issue('checkpoint', { ...engine.witness, seq, head, iat: Math.floor(wallMs() / 1000) });
    },
    log: { info: nothing, warn: nothing },
  });
  return { audit, source, pruner, older };
}
