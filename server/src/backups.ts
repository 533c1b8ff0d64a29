import type { HandlerDeps } from './admin/deps.js';
import type { Mended } from './audit/pruner.js';
import { BackupSource } from './backup/source.js';
import { BackupTimer } from './backup/timer.js';
import type { DataFolder } from './data-folder.js';
import { nativeVerify } from './ed25519.js';
import type { Engine } from './engine/engine.js';
import type { Recovered } from './engine/recover.js';
import { Rollback } from './engine/rollback.js';
import type { Clock } from './ops/clock.js';
import type { Config } from './ops/config.js';
import { componentLog, type Log } from './ops/log.js';
import { randomText } from './random.js';
import type { FileSystem } from './store/files.js';

interface Parts {
  readonly recovered: Pick<Recovered, 'state' | 'journal' | 'hashes'>;
  readonly engine: Engine;
  readonly clock: Clock;
  readonly mend: (error: unknown) => Promise<Mended>;
}

/** What a running server has to do with backups: making them, and noticing that its folder is an older one (I9). */
export function openBackups(
  { folder, log }: { readonly folder: DataFolder; readonly log: Log },
  files: FileSystem,
  config: () => Config,
  { recovered: { state, journal, hashes }, engine, clock, mend }: Parts,
): Pick<HandlerDeps, 'rollback'> & {
  readonly backup: HandlerDeps['backup'] & { readonly source: BackupSource };
  readonly backupTimer: BackupTimer;
} {
  const source = new BackupSource(files, folder.path, journal, () => clock.now().monoMs);
  const backupTimer = new BackupTimer({
    ...{ files, source, state, config, mend, log: componentLog(log, 'backup') },
    submit: (command) => engine.submit(command),
    now: () => clock.now(),
  });
  const said = componentLog(log, 'restore');
  const rollback = new Rollback({
    ...{ state, engine, hashes, verify: nativeVerify, serverKey: folder.identity.publicKey, randomText },
    onRolledBack: (shown, device) =>
      said.error(
        { code: 'ROLLED_BACK', shown, device, here: engine.position.seq },
        'a client has a lease of this server that names a record which is not here: the data folder was put back to an earlier state; nothing new is granted for now (berth restore show)',
      ),
    onClaim: (shown, device) =>
      said.warn(
        { shown, device },
        'a client says that it has seen a record which is not here, and shows no lease that proves it',
      ),
  });
  return { backup: { source, mend, timer: () => backupTimer.view }, rollback, backupTimer };
}
