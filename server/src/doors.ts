import { adminAddress } from './address.js';
import type { HandlerDeps } from './admin/deps.js';
import type { DataFolder } from './data-folder.js';
import type { State } from './domain/state.js';
import type { Signer } from './engine/issuer.js';
import { createGate } from './gate.js';
import type { Config } from './ops/config.js';
import type { Health } from './ops/health.js';
import { componentLog, type Log } from './ops/log.js';
import type { Metrics } from './ops/metrics.js';
import { openFileLimit, socketsWithin } from './ops/open-files.js';
import { noteSuperseded } from './superseded.js';
import type { CertificateKeeper } from './transport/certificate-keeper.js';
import type { TransportEvent } from './transport/events.js';
import { defaultLimits, type TransportLimits } from './transport/limits.js';
import { Listener, type ListenerOptions } from './transport/listener.js';
import type { SessionRegistry } from './transport/session-registry.js';

export interface DoorsOptions {
  readonly folder: DataFolder;
  readonly config: () => Config;
  readonly state: State;
  readonly deps: HandlerDeps;
  readonly sessions: SessionRegistry;
  readonly metrics: Metrics;
  readonly health: Health;
  readonly keeper: CertificateKeeper;
  readonly sign: Signer;
  readonly log: Log;
}

/** Where clients come in: one port, or two when administration has an address of its own (`admin.listen`). */
export class Doors {
  readonly main: Listener;
  readonly admin: Listener | null;

  /** Opens the ports; none is open when it throws. @throws ListenError */
  static async open(options: DoorsOptions): Promise<Doors> {
    const { listen, adminListen } = options.config();
    warnOfFewFiles(options);
    let adminPort: number | undefined;
    const common = commonOptions(options, () => adminPort);
    const main = await Listener.start({
      ...common,
      ...listen,
      ...(adminListen === undefined ? {} : { paths: ['lease'] as const }),
    });
    if (adminListen === undefined) return new Doors(options, main, null);
    try {
      const admin = await Listener.start({ ...common, ...adminListen, paths: ['admin'] });
      adminPort = admin.port;
      return new Doors(options, main, admin);
    } catch (error) {
      await main.stop();
      throw error;
    }
  }

  private constructor({ keeper }: DoorsOptions, main: Listener, admin: Listener | null) {
    this.main = main;
    this.admin = admin;
    keeper.onTaken((tls) => {
      for (const door of this.#all) door.setTls(tls);
    });
  }

  setLimits(config: Config): void {
    for (const door of this.#all) door.setLimits(limitsOf(config));
  }

  async drain(graceMs: number): Promise<void> {
    await Promise.all(this.#all.map((door) => door.drain(graceMs)));
  }

  get #all(): readonly Listener[] {
    return this.admin === null ? [this.main] : [this.main, this.admin];
  }
}

function commonOptions(
  options: DoorsOptions,
  adminPort: () => number | undefined,
): Omit<ListenerOptions, 'host' | 'port' | 'paths'> {
  const { folder, config, state, deps, sessions, metrics, health, keeper, sign, log } = options;
  const note = noteSuperseded(deps.engine, () => deps.clock.now().monoMs);
  return {
    gate: createGate(state, deps, folder.identity, sign, {
      leaseSeconds: () => config().leaseSeconds,
      adminAddress: () => adminAddress(config(), adminPort()),
    }),
    tls: keeper.current,
    sessions,
    allowedOrigins: config().webOrigins,
    limits: limitsOf(config()),
    http: {
      live: () => ({ ok: health.live, reason: health.reason }),
      ready: () => ({ ok: health.ready, reason: health.reason, warnings: health.warnings }),
      metrics: () => metrics.render(),
      get caPem() {
        return keeper.current.ca;
      },
    },
    log: componentLog(log, 'transport'),
    onEvent: (event) => {
      count(metrics, event);
      if (event.type === 'superseded') note(event);
    },
  };
}

function count(metrics: Metrics, event: TransportEvent): void {
  if (event.type === 'sessionOpened') metrics.sessionOpened();
  else if (event.type === 'sessionClosed') metrics.sessionClosed();
  else if (event.type === 'request' && event.method !== null) metrics.request(event.method);
}

/** Each port has its own sockets; together they must leave files for the journal. */
function socketsOf({ adminListen }: Config): number {
  const doors = adminListen === undefined ? 1 : 2;
  return Math.ceil(socketsWithin(openFileLimit(), defaultLimits.sockets) / doors);
}

/** Fewer sockets than one address may have: a farm would be turned away by a limit nobody has set on purpose. */
function warnOfFewFiles({ config, log }: DoorsOptions): void {
  const sockets = socketsOf(config());
  if (sockets >= config().limitsSocketsPerAddress) return;
  const next = 'Raise it to 65536: LimitNOFILE in the systemd unit, or ulimit -n';
  log.warn(
    { code: 'FEW_FILES', openFiles: openFileLimit(), sockets, next },
    'this process may open few files: fewer connections than configured are let in',
  );
}

function limitsOf(config: Config): Partial<TransportLimits> {
  const sockets = socketsOf(config);
  return {
    sockets,
    socketsPerAddress: config.limitsSocketsPerAddress,
    // Strangers never have all of them.
    unauthenticatedSockets: Math.min(config.limitsUnauthenticatedSockets, Math.ceil(sockets / 2)),
    tlsHandshakesPerAddressPerSecond: config.limitsHandshakesPerSecondPerAddress,
    requestsPerDevicePerSecond: config.limitsRequestsPerSecondPerDevice,
  };
}
