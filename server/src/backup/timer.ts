import { join } from 'node:path';
import type { Command, Settled } from '../domain/commands.js';
import { type Now, organisationOf, type State } from '../domain/state.js';
import type { Config } from '../ops/config-table.js';
import type { FileSystem } from '../store/files.js';
import { pruneBackups, writeBackup } from './backup-file.js';
import { readPassphrase } from './passphrase.js';
import type { BackupSource } from './source.js';

const HOUR_MS = 3_600_000;
/** After one that failed it is tried again this soon, ms. */
const RETRY_MS = 10 * 60_000;

export interface BackupTimerOptions {
  readonly files: FileSystem;
  readonly source: BackupSource;
  readonly state: State;
  readonly now: () => Pick<Now, 'wallMs' | 'monoMs'>;
  readonly config: () => Config;
  /** What does not check may be made anew, for the next try. */
  readonly mend: (error: unknown) => Promise<unknown>;
  readonly submit: (command: Command<'noteBackup'>) => Promise<Settled<'noteBackup'>>;
  readonly log: {
    info(details: object, message: string): void;
    error(details: object, message: string): void;
  };
}

/** Makes the backups that the configuration asks for: looked at every minute, so that a change of it needs no restart. */
export class BackupTimer {
  readonly #options: BackupTimerOptions;
  #making: Promise<void> | null = null;
  /** On the monotonic clock, as whoever sets the other one must not put a backup off. */
  #notBeforeMs = 0;
  #failed: string | null = null;
  readonly #stopping = new AbortController();

  constructor(options: BackupTimerOptions) {
    this.#options = options;
  }

  /** For whoever asks: how often, and why the last one failed. */
  get view(): { readonly everyMs: number | null; readonly failed: string | null } {
    const { backupHours } = this.#options.config();
    return { everyMs: backupHours === undefined ? null : backupHours * HOUR_MS, failed: this.#failed };
  }

  look(): void {
    const { config, state } = this.#options;
    const { backupHours, backupFolder, backupPassphraseFile, backupKeep } = config();
    if (backupHours === undefined || this.#making !== null || this.#stopping.signal.aborted) return;
    const now = this.#options.now();
    const lastMs = organisationOf(state).backup?.atMs ?? 0;
    // One that is to come was made while the clock was ahead.
    const isRecent = lastMs <= now.wallMs && now.wallMs - lastMs < backupHours * HOUR_MS;
    if (isRecent || now.monoMs < this.#notBeforeMs) return;
    const making = this.#make(
      { folder: backupFolder, passphraseFile: backupPassphraseFile, keep: backupKeep },
      now.wallMs,
    );
    this.#making = making.finally(() => {
      this.#making = null;
    });
  }

  /** One that is under way is given up: nobody is served until it ends, and it reads files that are closed next. */
  async stop(): Promise<void> {
    this.#stopping.abort(new Error('the server stops'));
    await this.#making;
  }

  async #make(
    to: { folder: string | undefined; passphraseFile: string | undefined; keep: number },
    atMs: number,
  ): Promise<void> {
    const { files, source, state, submit, log } = this.#options;
    try {
      if (to.folder === undefined || to.passphraseFile === undefined)
        throw new Error('backup.hours wants backup.folder and backup.passphrase-file');
      const passphrase = await readPassphrase(to.passphraseFile);
      const { serverId, serverKey: server, epoch } = organisationOf(state);
      const prefix = `${serverId}-`;
      // The name sorts by time, and has no character that a file system refuses.
      const name = `${prefix}${new Date(atMs).toISOString().replaceAll(':', '').slice(0, 17)}Z.backup`;
      const made = await writeBackup(files, join(to.folder, name), passphrase, source, {
        server,
        epoch,
        atMs,
        signal: this.#stopping.signal,
      });
      await submit({ type: 'noteBackup', ...made, madeAtMs: atMs });
      this.#failed = null;
      log.info({ file: join(to.folder, name), ...made }, 'a backup was made');
      await pruneBackups(files, to.folder, prefix, to.keep);
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      this.#failed = error instanceof Error ? error.message : String(error);
      this.#notBeforeMs = this.#options.now().monoMs + RETRY_MS;
      log.error({ err: error, code: 'BACKUP_FAILED' }, 'the backup failed; it is tried again in ten minutes');
      await this.#options.mend(error);
    }
  }
}
