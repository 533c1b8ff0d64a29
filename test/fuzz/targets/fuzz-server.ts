import { type PathName, strictly } from '@berth/protocol';
import type { HandlerDeps } from '@berth/server/admin/deps';
import { AuditLog } from '@berth/server/audit/audit-log';
import { Pruner } from '@berth/server/audit/pruner';
import { brokenInvariants } from '@berth/server/domain/invariants';
import { loadState } from '@berth/server/domain/load';
import type { State } from '@berth/server/domain/state';
import { nativeVerify } from '@berth/server/ed25519';
import { Engine } from '@berth/server/engine/engine';
import { Invitations } from '@berth/server/engine/invitations';
import { Issuer } from '@berth/server/engine/issuer';
import { createGate } from '@berth/server/gate';
import { Journal } from '@berth/server/store/journal';
import { decodeRows } from '@berth/server/store/records';
import { tellSessions } from '@berth/server/tell-sessions';
import type { Caller, Gate } from '@berth/server/transport/api';
import { Dispatcher, type Peer } from '@berth/server/transport/dispatch';
import { defaultLimits } from '@berth/server/transport/limits';
import { SessionRegistry } from '@berth/server/transport/session-registry';
import { unsentMail } from '../../simulation/unsent-mail.js';
import { FaultyFiles } from '../../store/faulty-files.js';
import { LEASE_SECONDS, SERVER_KEY, START_MS } from '../../unit/domain/world.js';
import { fuzzKeys } from './keys.js';

const { server: key } = fuzzKeys;
const now = { monoMs: 1_000_000, wallMs: START_MS, steadyWallMs: START_MS };

/** A server behind its dispatcher for one input: the real handlers, engine, domain and journal, on a disk in memory and a clock that stands. */
export class FuzzServer {
  readonly state: State;
  readonly faults: string[] = [];
  readonly dispatcher: Dispatcher;

  static async open(rows: ReadonlyMap<string, string>): Promise<FuzzServer> {
    const files = new FaultyFiles();
    await files.makeFolder('/data');
    const journal = await Journal.open({ files, folder: '/data', onRecord: () => {} });
    return new FuzzServer(rows, journal, new AuditLog(files, journal, '/data/audit'));
  }

  private constructor(
    rows: ReadonlyMap<string, string>,
    readonly journal: Journal,
    readonly audit: AuditLog,
  ) {
    this.state = loadState(decodeRows(rows), now.monoMs);
    let ids = 0;
    const registry = new SessionRegistry();
    const engine = new Engine({
      state: this.state,
      journal,
      clock: { now: () => now },
      newId: (letter) => `${letter}-fresh-${++ids}`,
      leaseSeconds: LEASE_SECONDS,
      diskLow: () => false,
      onCommitted: ({ changes }) => tellSessions(registry, changes, now),
      onFatal: (error) => this.faults.push(`the server would stop: ${String(error)}`),
    });
    const gate = this.#gate(engine, registry);
    this.dispatcher = new Dispatcher(gate, defaultLimits, (event) => {
      if (event.type !== 'handlerError') return;
      const { error } = event;
      this.faults.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
    });
  }

  broken(): string[] {
    return brokenInvariants(this.state, now);
  }

  /** Nothing is stored behind this server: what would be pruned is refused at the latest there. */
  #pruner(engine: Engine): Pruner {
    const { state, audit, journal } = this;
    const nothing = (): void => {};
    return new Pruner({
      ...{ state, journal, audit, onFatal: nothing, wallMs: () => now.wallMs },
      store: { flush: async () => {}, dump: async () => 'nothing is stored' },
      backups: { isRead: false, alone: (work) => work() },
      older: () => null,
      spareBytes: () => 0,
      submit: (command) => engine.submit(command),
      sign: () => '',
      log: { info: nothing, warn: nothing },
    });
  }

  #gate(engine: Engine, sessions: SessionRegistry): Gate {
    const deps: HandlerDeps = {
      state: this.state,
      engine,
      audit: this.audit,
      pruner: this.#pruner(engine),
      issuer: new Issuer(key.sign),
      invitations: new Invitations(key.seed),
      verify: strictly(nativeVerify),
      metrics: { checkout: () => {}, denial: () => {}, waited: () => {} },
      sessions,
      clock: { now: () => now },
      address: () => ({ host: 'berth', port: 7433 }),
      serverKey: key.publicBytes,
      invitationMs: 86_400_000,
      mail: unsentMail(this.state),
      rollback: { witnessed: () => {}, shown: () => {} },
      backup: {
        // As large as that of a new server: what is asked for is what is fuzzed.
        source: {
          cut: async () => ({
            position: { seq: 1, hash: '00'.repeat(32) },
            files: [{ path: 'berthd.json', bytes: Buffer.from('{}') }],
            journal: [{ firstSeq: 1, bytes: 100 }],
            base: { at: 1, bytes: 100 },
          }),
          base: async (at, offset) => (at === 1 ? Buffer.alloc(100).subarray(offset) : null),
          damage: async () => null,
          over: () => {},
          segment: async (firstSeq, offset) => (firstSeq === 1 ? Buffer.alloc(100).subarray(offset) : null),
        },
        mend: async () => ({ ok: false }),
        timer: () => ({ everyMs: null, failed: null }),
      },
      version: 'fuzzed',
    };
    const identity = { id: 'srv', keyText: SERVER_KEY, publicKey: key.publicBytes, seed: key.seed };
    const live = { leaseSeconds: () => LEASE_SECONDS, adminAddress: () => null };
    return createGate(this.state, deps, identity as Parameters<typeof createGate>[2], key.sign, live);
  }
}

/** One socket with an open session of the owner. It keeps what it is sent. */
export class FuzzPeer implements Peer {
  readonly path: PathName;
  readonly address = '127.0.0.1';
  readonly serverNonce = 'n'.repeat(22);
  readonly sent: string[] = [];
  readonly caller: Caller;
  inFlight = 0;
  parked = 0;
  readonly #gone = new AbortController();

  constructor(path: PathName, device: string, email: string) {
    this.path = path;
    this.caller = {
      session: `s-${path}`,
      path,
      deviceId: device,
      deviceKey: fuzzKeys.device.text,
      email,
      address: this.address,
      leases: new Set(),
    };
  }

  get ended(): AbortSignal {
    return this.#gone.signal;
  }

  binding(): Uint8Array {
    return new Uint8Array(32);
  }

  opened(): void {}

  send(text: string): void {
    this.sent.push(text);
  }

  close(): void {}

  fault(): boolean {
    return true;
  }

  beginRequest(): boolean {
    this.inFlight++;
    return true;
  }

  parkRequest(): void {
    this.parked++;
  }

  endRequest(parked: boolean): void {
    this.inFlight--;
    if (parked) this.parked--;
  }

  push: Peer['push'] = () => {};

  hangUp(): void {
    this.#gone.abort();
  }
}
