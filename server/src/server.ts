import { linkAddress } from './address.js';
import type { HandlerDeps } from './admin/deps.js';
import type { DataFolder } from './data-folder.js';
import { poolOf } from './domain/pools.js';
import { nativeSigner, nativeVerify } from './ed25519.js';
import { Engine } from './engine/engine.js';
import { Invitations } from './engine/invitations.js';
import { Issuer } from './engine/issuer.js';
import { type Recovered, recover } from './engine/recover.js';
import { startTicker } from './engine/ticker.js';
import { createGate } from './gate.js';
import { type Clock, systemClock } from './ops/clock.js';
import { ClockWatch } from './ops/clock-watch.js';
import type { Config } from './ops/config.js';
import { DiskWatch, freeBytesOf } from './ops/disk.js';
import { Health } from './ops/health.js';
import { componentLog, type Log } from './ops/log.js';
import { createMetrics, type Metrics } from './ops/metrics.js';
import { randomId } from './random.js';
import { StartError } from './start-error.js';
import { type FileSystem, nodeFiles } from './store/files.js';
import { LevelStore } from './store/level-store.js';
import type { StateStore } from './store/state-store.js';
import { tellSessions } from './tell-sessions.js';
import { loadOrCreateTls, type TlsIdentity } from './transport/certificate-files.js';
import { certificateNames } from './transport/certificate-names.js';
import { Listener } from './transport/listener.js';
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
}

/** How often the state is written behind, ms. Losing it costs only a longer replay. */
const FLUSH_MS = 1000;
/** How often a signed checkpoint goes into the journal (I10), ms. */
const CHECKPOINT_MS = 3_600_000;

/** The composition root: everything that makes a running berthd, complete or not at all (STYLE 6). */
export class Server {
  readonly health: Health;
  readonly #parts: Parts;
  readonly #listener: Listener;
  readonly #timers: readonly NodeJS.Timeout[];
  readonly #stopTicker: () => void;

  /**
   * Recovers the state, opens the port and serves. Throws StartError, FolderLocked, JournalCorrupt, FormatNewer, ListenError; whatever
   * it opened is closed then.
   */
  static async start(options: ServerOptions): Promise<Server> {
    const health = new Health();
    const store = await LevelStore.open(options.folder.path);
    let parts: Parts | undefined;
    try {
      parts = await assemble(options, store);
      const tls = await loadTls(options, parts.clock);
      const listener = await listen(options, parts, tls, health);
      return new Server(options, parts, listener, health);
    } catch (error) {
      parts?.disk.stop();
      await parts?.recovered.journal.close();
      await store.close();
      throw error;
    }
  }

  private constructor(options: ServerOptions, parts: Parts, listener: Listener, health: Health) {
    this.health = health;
    this.#parts = parts;
    this.#listener = listener;
    this.#stopTicker = startTicker(parts.engine);
    const watch = new ClockWatch(() => clockOf(parts), componentLog(options.log, 'clock'));
    const everySecond = (): void => {
      watch.look();
      void parts.store.flush().catch(options.onFatal);
    };
    const flush = setInterval(everySecond, FLUSH_MS);
    const checkpoint = setInterval(() => void writeCheckpoint(parts), CHECKPOINT_MS);
    this.#timers = [flush.unref(), checkpoint.unref()];
    void writeCheckpoint(parts);
    showTroubles(parts, health);
    health.enter('serving');
  }

  get host(): string {
    return this.#listener.address;
  }

  get port(): number {
    return this.#listener.port;
  }

  /** Tells the clients, answers what is in flight, writes the state and closes. Nothing acknowledged depends on it (I6). */
  async stop(graceMs: number): Promise<void> {
    this.health.enter('draining');
    const drained = this.#listener.drain(graceMs);
    // From now on nobody new is let in: who waits is told to come back to the next server.
    this.#parts.engine.dismissWaiting();
    await drained;
    this.#stopTicker();
    for (const timer of this.#timers) clearInterval(timer);
    const { engine, store, recovered, disk } = this.#parts;
    await engine.stop();
    disk.stop();
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
}

async function assemble(options: ServerOptions, store: StateStore): Promise<Parts> {
  const { folder, config, log, clock = systemClock, files = nodeFiles } = options;
  const recovered = await recoverState(options, store, clock, files);
  const { state, journal } = recovered;
  if (state.tables.organisation.size === 0) {
    throw new StartError(
      'FOLDER_DAMAGED',
      'The journal has no organisation in it.',
      'Run berthd init in a new folder, or restore a backup.',
    );
  }
  const disk = await watchDisk(options);
  const sessions = new SessionRegistry();
  const metrics = createMetrics(
    () => {
      const now = clock.now();
      return [...state.tables.product.values()].map(({ product }) => poolOf(state, product, now));
    },
    () => engine.waiting,
  );
  const engine = new Engine({
    state,
    journal,
    clock,
    newId: randomId,
    leaseSeconds: config.leaseSeconds,
    diskLow: () => disk.low,
    onCommitted: ({ position, changes, rows, seconds }) => {
      store.put(position, rows);
      metrics.commit(seconds, changes.length);
      metrics.journalSeq(position.seq);
      for (const change of changes) if (change.type === 'clock.accepted') clock.accept(change.wallMs);
      tellSessions(sessions, changes);
    },
    onFatal: options.onFatal,
  });
  const issuer = new Issuer(nativeSigner(folder.identity.privateKey));
  const deps: HandlerDeps = {
    state,
    engine,
    issuer,
    invitations: new Invitations(folder.identity.seed),
    verify: nativeVerify,
    metrics,
    clock,
    address: () => linkAddress(config),
    serverKey: folder.identity.publicKey,
    invitationMs: config.invitationHours * 3_600_000,
    version: VERSION,
  };
  log.info({ seq: journal.position.seq, replayed: recovered.replayed }, 'state recovered');
  return { clock, store, recovered, engine, issuer, deps, metrics, sessions, disk };
}

async function recoverState(
  options: ServerOptions,
  store: StateStore,
  clock: Clock,
  files: FileSystem,
): Promise<Recovered> {
  const log = componentLog(options.log, 'store');
  return recover({
    files,
    folder: options.folder.path,
    store,
    segmentBytes: options.config.journalSegmentMib * 1024 * 1024,
    monoMs: clock.now().monoMs,
    onCut: (cut) => log.warn({ cut }, 'an unacknowledged write at the end of the journal was cut'),
    onRebuilt: (reason) =>
      log.warn({ reason }, 'the stored state was not usable and was rebuilt from the journal'),
  });
}

async function watchDisk({ folder, config, log }: ServerOptions): Promise<DiskWatch> {
  return DiskWatch.start({
    freeBytes: freeBytesOf(folder.path),
    lowBytes: config.diskLowMib * 1024 * 1024,
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

async function loadTls({ folder, config, log }: ServerOptions, clock: Clock): Promise<TlsIdentity> {
  const { tlsCert: cert, tlsKey: key, tlsCa: ca } = config;
  const loaded = await loadOrCreateTls({
    folder: folder.path,
    names: certificateNames({ listenHost: config.listen.host, advertise: config.advertise }),
    nowMs: clock.now().wallMs,
    ...(cert !== undefined && key !== undefined && ca !== undefined ? { own: { cert, key, ca } } : {}),
  });
  if (!loaded.ok) throw new StartError(loaded.problem.code, loaded.problem.message, loaded.problem.next);
  if (loaded.value.issued !== undefined)
    log.info({ reason: loaded.value.issued }, 'a new server certificate was made');
  return loaded.value;
}

async function listen(
  options: ServerOptions,
  parts: Parts,
  tls: TlsIdentity,
  health: Health,
): Promise<Listener> {
  const { folder, config, log } = options;
  const { deps, metrics, recovered, sessions } = parts;
  const gate = createGate(
    recovered.state,
    deps,
    folder.identity,
    nativeSigner(folder.identity.privateKey),
    config.leaseSeconds,
  );
  return Listener.start({
    gate,
    tls,
    host: config.listen.host,
    port: config.listen.port,
    sessions,
    limits: {
      socketsPerAddress: config.limitsSocketsPerAddress,
      unauthenticatedSockets: config.limitsUnauthenticatedSockets,
      tlsHandshakesPerAddressPerSecond: config.limitsHandshakesPerSecondPerAddress,
      requestsPerDevicePerSecond: config.limitsRequestsPerSecondPerDevice,
    },
    http: {
      live: () => ({ ok: health.live, reason: health.reason }),
      ready: () => ({ ok: health.ready, reason: health.reason, warnings: health.warnings }),
      metrics: () => metrics.render(),
      caPem: tls.ca,
    },
    log: componentLog(log, 'transport'),
    onEvent: (event) => {
      if (event.type === 'sessionOpened') metrics.sessionOpened();
      else if (event.type === 'sessionClosed') metrics.sessionClosed();
      else if (event.type === 'request' && event.method !== null) metrics.request(event.method);
    },
  });
}

/** A signed checkpoint of the journal, so that a truncated copy shows against it (I10). */
async function writeCheckpoint({ engine, issuer, clock }: Parts): Promise<void> {
  const iat = Math.floor(clock.now().wallMs / 1000);
  await engine.submit({ type: 'checkpoint', token: issuer.issue('checkpoint', { ...engine.witness, iat }) });
}
