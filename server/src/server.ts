import { linkAddress } from './address.js';
import type { HandlerDeps } from './admin/deps.js';
import type { Pruner } from './audit/pruner.js';
import { openAudit } from './audits.js';
import type { BackupTimer } from './backup/timer.js';
import { openBackups } from './backups.js';
import { BulkWorker, type BulkWorkerOptions } from './bulk/worker.js';
import { keepCertificate, loadCertificate, startError } from './certificate.js';
import type { DataFolder } from './data-folder.js';
import type { Command, CommandType, Settled } from './domain/commands.js';
import { poolOf } from './domain/pools.js';
import type { State } from './domain/state.js';
import { Doors } from './doors.js';
import { nativeVerify } from './ed25519.js';
import { Checkpoints } from './engine/checkpoint.js';
import { type Commit, Engine } from './engine/engine.js';
import { Invitations } from './engine/invitations.js';
import type { Issuer, Signer } from './engine/issuer.js';
import type { Recovered } from './engine/recover.js';
import { startTicker } from './engine/ticker.js';
import { later } from './later.js';
import { PostOffice, type PostOfficeOptions } from './mail/post-office.js';
import type { OlderRecords } from './older-records.js';
import { type Clock, systemClock } from './ops/clock.js';
import { ClockWatch } from './ops/clock-watch.js';
import type { Config } from './ops/config.js';
import { DiskWatch, freeBytesOf } from './ops/disk.js';
import { Health } from './ops/health.js';
import { type Difference, LiveConfig } from './ops/live-config.js';
import { componentLog, type Log, setLogLevel } from './ops/log.js';
import { createMetrics, type Metrics } from './ops/metrics.js';
import { randomId } from './random.js';
import { recoverState } from './recovered.js';
import { openSigning, type Signing } from './signing.js';
import { type FileSystem, nodeFiles } from './store/files.js';
import { LevelStore } from './store/level-store.js';
import type { StateStore } from './store/state-store.js';
import { tellSessions } from './tell-sessions.js';
import type { CertificateKeeper } from './transport/certificate-keeper.js';
import { SessionRegistry } from './transport/session-registry.js';
import { clockOf, showTroubles } from './troubles.js';
import { VERSION } from './version.js';

export interface ServerOptions {
  readonly folder: DataFolder;
  readonly config: Config;
  readonly log: Log;
  /** A write failed or an invariant broke: the process must end now, without another reply (DESIGN 2). */
  readonly onFatal: (error: unknown) => void;
  readonly clock?: Clock;
  readonly files?: FileSystem;
  /** Of `mail.user`, from the environment; left out: it is in `mail.password-file`. */
  readonly mailPassword?: string;
  /** So many of the last records are verified at the start, whatever the state needs; left out: those of which clients may show what they have seen (I10). */
  readonly reread?: number;
  /** Signs with the server's key; left out: natively. */
  readonly sign?: Signer;
}

/** How often the state is written behind, ms. Losing it costs only a longer replay. */
const FLUSH_MS = 1000;
/** How often the backups that are configured are thought of, ms. */
const BACKUP_LOOK_MS = 60_000;

/** The composition root: everything that makes a running berthd, complete or not at all (STYLE 6). */
export class Server {
  readonly health: Health;
  readonly #parts: Parts;
  readonly #doors: Doors;
  readonly #live: LiveConfig;
  readonly #options: ServerOptions;
  readonly #timers: readonly NodeJS.Timeout[];
  readonly #stopTicker: () => void;

  /**
   * Recovers the state, opens the port and serves. Throws StartError, FolderLocked, JournalCorrupt, FormatNewer, ListenError; whatever
   * it opened is closed then.
   */
  static async start(options: ServerOptions): Promise<Server> {
    const health = new Health();
    const live = new LiveConfig(options.config);
    const store = await LevelStore.open(options.folder.path);
    let parts: Parts | undefined;
    try {
      parts = await assemble(options, live, store);
      // Before anybody reads the files of the journal.
      await parts.pruner.finish();
      // I9: nothing is granted before time counts.
      await parts.engine.submit({ type: 'beginRestore' });
      await parts.engine.submit({ type: 'noteWindow' });
      const { recovered, deps, sessions, metrics, keeper, sign } = parts;
      const { state } = recovered;
      const { folder, log } = options;
      const config = (): Config => live.current;
      const doors = await Doors.open({
        folder,
        config,
        state,
        deps,
        sessions,
        metrics,
        health,
        keeper,
        sign,
        log,
      });
      return new Server(options, live, parts, doors, health);
    } catch (error) {
      parts?.disk.stop();
      parts?.keeper.stop();
      await parts?.recovered.journal.close();
      await store.close();
      throw error;
    }
  }

  private constructor(options: ServerOptions, live: LiveConfig, parts: Parts, doors: Doors, health: Health) {
    this.health = health;
    this.#options = options;
    this.#live = live;
    this.#parts = parts;
    this.#doors = doors;
    this.#stopTicker = startTicker(parts.engine);
    const checkpoints = new Checkpoints(parts);
    const watch = new ClockWatch(() => clockOf(parts), componentLog(options.log, 'clock'));
    const everySecond = (): void => {
      watch.look();
      checkpoints.look();
      void parts.store.flush().catch(options.onFatal);
    };
    const flush = setInterval(everySecond, FLUSH_MS);
    const backup = setInterval(() => parts.backupTimer.look(), BACKUP_LOOK_MS);
    this.#timers = [flush.unref(), backup.unref()];
    parts.backupTimer.look();
    checkpoints.look();
    showTroubles(parts, health);
    void parts.office.start().catch(options.onFatal);
    parts.worker.wake();
    void parts.older.start();
    health.enter('serving');
  }

  get host(): string {
    return this.#doors.main.address;
  }

  get port(): number {
    return this.#doors.main.port;
  }

  /** Decides a command as if a client had asked: for `--dev`, which has nobody who could. */
  submit<T extends CommandType>(command: Command<T>): Promise<Settled<T>> {
    return this.#parts.engine.submit(command);
  }

  /** Where administration listens, when it has an address of its own. */
  get admin(): { readonly host: string; readonly port: number } | null {
    const { admin } = this.#doors;
    return admin === null ? null : { host: admin.address, port: admin.port };
  }

  /**
   * Takes over what a running server can of a new configuration, all of it or, when the certificate cannot be served, nothing.
   * @returns what changed, and what waits for a restart. @throws StartError CERTIFICATE_INVALID: nothing was changed
   */
  async reload(next: Config): Promise<Difference> {
    const { folder, log } = this.#options;
    const { keeper, clock } = this.#parts;
    const difference = this.#live.compare(next);
    const merged = this.#live.merged(next);
    const nowMs = (): number => clock.now().wallMs;
    const tls = await keeper.look(async () => {
      const loaded = await loadCertificate({ folder: folder.path, nowMs }, merged);
      if (loaded.ok) this.#live.swap(merged);
      return loaded;
    });
    if (!tls.ok) throw startError(tls.problem);
    setLogLevel(log, merged.logLevel);
    this.#doors.setLimits(merged);
    this.#parts.office.reopen();
    await this.#parts.engine.submit({ type: 'noteWindow' });
    return difference;
  }

  /** Tells the clients, answers what is in flight, writes the state and closes. Nothing acknowledged depends on it (I6). */
  async stop(graceMs: number): Promise<void> {
    this.health.enter('draining');
    const drained = this.#doors.drain(graceMs);
    // From now on nobody new is let in: who waits is told to come back to the next server.
    this.#parts.engine.dismissWaiting();
    await drained;
    this.#stopTicker();
    for (const timer of this.#timers) clearInterval(timer);
    const { engine, store, recovered, disk, keeper, office, worker, thread, backupTimer, older, pruner } =
      this.#parts;
    keeper.stop();
    await Promise.all([office.stop(), worker.stop(), backupTimer.stop(), older.stop(), pruner.stop()]);
    await engine.stop();
    disk.stop();
    await thread?.close();
    await store.flush();
    await recovered.journal.close();
    await store.close();
  }
}

interface Parts {
  readonly clock: Clock;
  readonly store: StateStore;
  readonly recovered: Recovered;
  readonly engine: Engine;
  readonly issuer: Issuer;
  readonly deps: HandlerDeps;
  readonly metrics: Metrics;
  readonly sessions: SessionRegistry;
  readonly disk: DiskWatch;
  readonly keeper: CertificateKeeper;
  readonly sign: Signer;
  readonly thread: Signing['thread'];
  readonly office: PostOffice;
  readonly worker: BulkWorker;
  readonly backupTimer: BackupTimer;
  readonly older: OlderRecords;
  readonly pruner: Pruner;
}

async function assemble(options: ServerOptions, live: LiveConfig, store: StateStore): Promise<Parts> {
  const { folder, log, clock = systemClock, files = nodeFiles } = options;
  const recovered = await recoverState(options, store, clock, files);
  const { state, journal } = recovered;
  const disk = await watchDisk(options, live);
  const sessions = new SessionRegistry();
  const metrics = metricsOf(state, clock, () => engine.waiting);
  const engine = openEngine(options, live, { state, journal, clock, disk }, (commit) => {
    store.put(commit.position, commit.rows);
    recovered.hashes.note(commit.position);
    committed({ metrics, clock, sessions, office, worker }, commit);
  });
  const { sign, issuer, thread } = openSigning(options.sign, folder.identity.privateKey, options.onFatal);
  const submit: BulkWorkerOptions['submit'] = (command) => engine.submit(command);
  const worker = new BulkWorker({ state, submit, after: later, onFatal: options.onFatal });
  const invitations = new Invitations(folder.identity.seed);
  const address = () => linkAddress(live.current);
  const serverKey = folder.identity.publicKey;
  const office = openPostOffice(options, live, {
    ...{ state, clock, submit, address },
    link: (invitation, leadsTo) => invitations.link(invitation, leadsTo, serverKey),
  });
  const { backup, rollback, backupTimer } = openBackups(options, files, () => live.current, {
    ...{ recovered, engine, clock, mend: (error: unknown) => older.mend(error) },
  });
  const { audit, older, pruner } = openAudit(options, files, {
    ...{ recovered, store, engine, issuer, clock, backups: backup.source },
    lowBytes: () => live.current.diskLowMib * 1024 * 1024,
  });
  const deps: HandlerDeps = {
    state,
    engine,
    issuer,
    backup,
    rollback,
    ...{ audit, pruner },
    invitations,
    verify: nativeVerify,
    metrics,
    sessions,
    clock,
    address,
    serverKey,
    mail: office,
    get invitationMs() {
      return live.current.invitationHours * 3_600_000;
    },
    version: VERSION,
  };
  log.info({ seq: journal.position.seq, replayed: recovered.replayed }, 'state recovered');
  const keeper = await keepTls(options, live, clock);
  return {
    ...{ clock, store },
    recovered,
    engine,
    issuer,
    deps,
    metrics,
    sessions,
    disk,
    keeper,
    sign,
    thread,
    office,
    worker,
    ...{ backupTimer, older, pruner },
  };
}

function openEngine(
  { onFatal }: ServerOptions,
  live: LiveConfig,
  { state, journal, clock, disk }: Pick<Recovered, 'state' | 'journal'> & Pick<Parts, 'clock' | 'disk'>,
  onCommitted: (commit: Commit) => void,
): Engine {
  return new Engine({
    ...{ state, journal, clock, newId: randomId, onCommitted, onFatal },
    get leaseSeconds() {
      return live.current.leaseSeconds;
    },
    diskLow: () => disk.low,
  });
}

/** What follows from a commit once it is durable, before its replies leave. */
function committed(
  parts: Pick<Parts, 'metrics' | 'clock' | 'sessions' | 'office' | 'worker'>,
  { position, changes, seconds }: Commit,
): void {
  const { metrics, clock, sessions, office, worker } = parts;
  metrics.commit(seconds, changes.length);
  metrics.journalSeq(position.seq);
  for (const change of changes) if (change.type === 'clock.accepted') clock.accept(change.wallMs);
  tellSessions(sessions, changes, clock.now());
  office.look(changes);
  if (changes.some(({ type }) => type === 'job.made')) worker.wake();
}

function metricsOf(state: State, clock: Clock, waiting: () => Engine['waiting']): Metrics {
  return createMetrics(() => {
    const now = clock.now();
    return [...state.tables.product.values()].map(({ product }) => poolOf(state, product, now));
  }, waiting);
}

function keepTls({ folder, log }: ServerOptions, live: LiveConfig, clock: Clock): Promise<CertificateKeeper> {
  return keepCertificate({
    folder: folder.path,
    config: () => live.current,
    nowMs: () => clock.now().wallMs,
    log: componentLog(log, 'tls'),
  });
}

function openPostOffice(
  { log, mailPassword, onFatal }: ServerOptions,
  live: LiveConfig,
  parts: Pick<PostOfficeOptions, 'state' | 'clock' | 'submit' | 'address' | 'link'>,
): PostOffice {
  const config = (): Config => live.current;
  return new PostOffice({
    ...parts,
    after: later,
    config,
    password: mailPassword,
    log: componentLog(log, 'mail'),
    onFatal,
  });
}

async function watchDisk({ folder, log }: ServerOptions, live: LiveConfig): Promise<DiskWatch> {
  return DiskWatch.start({
    freeBytes: freeBytesOf(folder.path),
    get lowBytes() {
      return live.current.diskLowMib * 1024 * 1024;
    },
    onChange: (low, freeBytes) =>
      low
        ? log.error(
            { freeBytes, code: 'DISK_LOW' },
            'disk space is low: nothing new is granted, renewals go on',
          )
        : log.info({ freeBytes }, 'disk space is enough again'),
    onError: (error) => log.warn({ err: error }, 'free disk space could not be read'),
  });
}
