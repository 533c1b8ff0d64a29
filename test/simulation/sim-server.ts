import assert from 'node:assert/strict';
import { encodeBase64Url } from '@berth/protocol';
import { brokenInvariants } from '@berth/server/domain/invariants';
import type { State } from '@berth/server/domain/state';
import { Issuer } from '@berth/server/engine/issuer';
import { type Recovered, recover } from '@berth/server/engine/recover';
import { startTicker } from '@berth/server/engine/ticker';
import type { PostOffice } from '@berth/server/mail/post-office';
import { type Clock, steadyClock } from '@berth/server/ops/clock';
import { errnoOf } from '@berth/server/store/errno';
import type { FileSystem } from '@berth/server/store/files';
import type { Journal } from '@berth/server/store/journal';
import { emptyMemoryDisk, MemoryStore } from '@berth/server/store/memory-store';
import { tellSessions } from '@berth/server/tell-sessions';
import type { Gate } from '@berth/server/transport/api';
import { Connection } from '@berth/server/transport/connection';
import { Dispatcher } from '@berth/server/transport/dispatch';
import { defaultLimits } from '@berth/server/transport/limits';
import { SessionRegistry } from '@berth/server/transport/session-registry';
import type { WebSocket } from 'ws';
import { FaultyFiles, type Survivors } from '../store/faulty-files.js';
import { Duties } from './duties.js';
import { forgeBase } from './forged-base.js';
import { NotedWindows } from './noted-windows.js';
import type { SimBackup } from './office-backup.js';
import { decideOffline, unpack } from './offline.js';
import { ServerFate } from './server-fate.js';
import { arrivalOf } from './sim-arrival.js';
import { simAudit } from './sim-audit.js';
import type { SimClock } from './sim-clock.js';
import type { SimCrypto } from './sim-crypto.js';
import { slowFiles } from './sim-disk.js';
import { simGate } from './sim-gate.js';
import { SimHead } from './sim-head.js';
import { HttpDoor } from './sim-http.js';
import { SimIdentity } from './sim-identity.js';
import type { SimMailServer } from './sim-mail.js';
import type { Wire } from './sim-network.js';
import type { Dice } from './sim-random.js';
import { newOwner, type Owner, type SimTime } from './sim-time.js';
import { rot } from './state-rot.js';
import { SteadyBound } from './steady-bound.js';
import { WatchedEngine } from './watched-engine.js';

const FOLDER = '/data';
const [TICK_MS, FLUSH_MS] = [1_000, 5_000];
const DAY_MS = 86_400_000;

export interface SimServerOptions {
  readonly time: SimTime;
  readonly clock: SimClock;
  readonly dice: Dice;
  readonly crypto: SimCrypto;
  /** D of the leases of this site. */
  readonly leaseSeconds: number;
  /** A file of the journal that has so many is full: far fewer than on a real site, so that it has several in two hours. */
  readonly segmentBytes: number;
  /** `null`: there is none. */
  readonly mailServer: SimMailServer | null;
  /** Something that must never be: an invariant that broke, an exception that no fault explains. */
  readonly onViolation: (text: string) => void;
  /** A start made the state anew from the base of a journal that was pruned, and from what follows it. */
  readonly onRebuilt: (state: State) => void;
}

/** What one process of the server is made of. */
interface Running {
  readonly state: State;
  readonly clock: Clock;
  readonly dispatcher: Dispatcher;
  readonly registry: SessionRegistry;
  readonly gate: Gate;
  readonly door: HttpDoor;
  readonly journal: Journal;
  readonly store: MemoryStore;
}

/** A process that has its state, and serves nobody yet. */
interface Started {
  readonly recovered: Recovered;
  readonly store: MemoryStore;
  readonly steady: Clock;
  readonly files: FileSystem;
  readonly owner: Owner;
}

/** One berthd: its disk outlives its processes. Everything above the socket and below the disk is the real thing. */
export class SimServer {
  readonly disk = new FaultyFiles();
  readonly fate = new ServerFate(this.disk);
  readonly head = new SimHead(this.disk);
  readonly identity: SimIdentity;
  owner: Owner = newOwner();
  diskLow = false;
  /** Nothing answers, not even the system (power, cable). */
  isSilent = false;
  starts = 0;
  crashes = 0;
  onDown: () => void = () => {};
  /** Called before the process is gone, once: what would be wrong at the next start is put right. */
  onDying: () => void = () => {};
  readonly #options: SimServerOptions;
  readonly #rows = emptyMemoryDisk();
  #running: Running | null = null;
  #wires = new Set<Wire>();
  #starting: Owner | null = null;
  /** The stored state was damaged, or there is none: the next start has to make it anew. */
  #isRotten = false;
  /** D as configured: it may be another one at each start. */
  #leaseSeconds = 0;
  readonly #windows = new NotedWindows();

  constructor(options: SimServerOptions) {
    this.#options = options;
    this.identity = new SimIdentity(options.dice.bytes(32), options.crypto);
  }

  get isUp(): boolean {
    return this.#running !== null;
  }

  /** Where plain HTTPS is answered, while it runs. */
  get door(): HttpDoor | null {
    return this.#running?.door ?? null;
  }

  get isStarting(): boolean {
    return this.#starting !== null;
  }

  /** Makes the organisation, as `berthd init` does, and starts. @returns the owner's join link. */
  async found(owner: string): Promise<string> {
    const { dice } = this.#options;
    await this.disk.makeFolder(FOLDER);
    await this.disk.makeFolder(`${FOLDER}/tls`);
    const { settled } = await decideOffline(this.disk, FOLDER, this.#offline, () => ({
      type: 'found',
      name: 'Studio',
      owner,
      serverId: 'srv-sim',
      serverKey: this.identity.keyText,
      epoch: encodeBase64Url(dice.bytes(12)),
      invitationMs: 30 * DAY_MS,
    }));
    assert(settled.ok);
    await this.start();
    return this.identity.link(settled.outcome.invitation);
  }

  /**
   * What `berthd restore` makes of a backup, in the place of the folder that was there (restore.ts).
   * @returns the entitlements that it has
   */
  async restore({ files, position, ...facts }: SimBackup): Promise<string[]> {
    await unpack(this.disk, FOLDER, { files, position });
    Object.assign(this.#rows, emptyMemoryDisk());
    this.#windows.restored(position.seq);
    // Of a journal that was pruned, that is no state to go on from.
    this.#isRotten = true;
    const epoch = encodeBase64Url(this.#options.dice.bytes(12));
    const { settled, state } = await decideOffline(this.disk, FOLDER, this.#offline, (seq) => ({
      ...{ type: 'restore', epoch, backupAtMs: facts.atMs },
      known: { epoch: facts.epoch, seq },
    }));
    assert(settled.ok);
    const owned = [...state.tables.entitlement.values()].filter((row) => row.state === 'active');
    return owned.map(({ token }) => token);
  }

  get #offline() {
    const { clock, leaseSeconds, onViolation } = this.#options;
    return {
      clock: this.#clockOf(clock),
      newId: (letter: string) => this.#newId(letter),
      leaseSeconds,
      onFatal: (error: unknown) => onViolation(`what nobody disturbed failed: ${String(error)}`),
    };
  }

  #clockOf(clock: SimClock): Clock {
    return steadyClock(() => ({ monoMs: Math.floor(clock.monoMs()), wallMs: clock.wallMs() }));
  }

  #newId(letter: string): string {
    // Whoever decides to grant makes an id of a lease first.
    if (this.diskLow && letter === 'l')
      this.#options.onViolation('a lease is granted on a disk that is full');
    return `${letter}${Buffer.from(this.#options.dice.bytes(10)).toString('hex')}`;
  }

  /** What `/ca` answers. */
  authority(nonce: string, ca: string, sha256: string): string {
    const iat = Math.floor(this.#options.clock.wallMs() / 1000);
    return JSON.stringify({ ca, token: this.identity.authority({ nonce, sha256, iat }) });
  }

  /** Whether it will tell the same to whoever asks with that key again: not where nothing was changed (PROTOCOL 8). */
  keeps(key: string): boolean {
    for (const id of this.#running?.state.tables.request.keys() ?? [])
      if (id.endsWith(` ${key}`)) return true;
    return false;
  }

  /** A new process on the same disk. */
  async start(): Promise<void> {
    const { time, clock, dice } = this.#options;
    this.starts++;
    const configured = Math.round(this.#options.leaseSeconds * dice.pick([1, 1, 0.5, 1.5]));
    this.#leaseSeconds = Math.max(this.#windows.leastSeconds, configured);
    this.isSilent = false;
    const owner = newOwner();
    this.owner = owner;
    this.#starting = owner;
    const steady = this.#clockOf(clock);
    const files = slowFiles(this.disk, {
      ...{ time, owner, dice },
      doom: () => this.fate.doom,
      die: () => this.#die(owner),
    });
    const store = await MemoryStore.open(this.#rows);
    await this.disk.makeFolder(FOLDER);
    let isRebuilt = false;
    const recovered = await recover({
      files,
      folder: FOLDER,
      store,
      segmentBytes: this.#options.segmentBytes,
      monoMs: steady.now().monoMs,
      // A server reads its last records, as many as clients may speak of; older ones later (decision 0015).
      ...dice.pick([{}, { reread: 0 }, { reread: 20 }]),
      onCut: () => {},
      onRebuilt: (reason) => {
        isRebuilt = true;
        if (!this.#isRotten) this.#options.onViolation(`the state was rebuilt: ${reason}`);
      },
    });
    if (owner.dead) return;
    if (isRebuilt && recovered.journal.base !== null) this.#options.onRebuilt(recovered.state);
    await this.#serve({ recovered, store, steady, files, owner });
  }

  /** As server.ts puts it together. */
  async #serve({ recovered, store, steady, files, owner }: Started): Promise<void> {
    const { time } = this.#options;
    const onFatal = (error: unknown): void => {
      if (!owner.dead) this.#died(error);
    };
    const registry = new SessionRegistry();
    const bound = new SteadyBound(this.#options.clock, this.#options.onViolation);
    const engine = new WatchedEngine({
      ...{ owner, onWrong: this.#options.onViolation },
      ...{ state: recovered.state, journal: recovered.journal, clock: steady },
      newId: (letter) => this.#newId(letter),
      leaseSeconds: this.#leaseSeconds,
      diskLow: () => this.diskLow,
      onCommitted: ({ position, changes, rows }) => {
        if (owner.dead) return;
        store.put(position, rows);
        recovered.hashes.note(position);
        for (const change of changes) if (change.type === 'clock.accepted') steady.accept(change.wallMs);
        bound.look(changes);
        tellSessions(registry, changes, steady.now());
        duties.look(changes);
        // Some are stored at once: what the next one changes must not be among it.
        if (this.#options.dice.chance(0.1)) void store.flush();
      },
      onFatal,
    });
    const { state, hashes, journal } = recovered;
    const issuer = new Issuer((message) => this.identity.key.sign(message));
    const duties = new Duties({
      ...{ state, engine, clock: steady, time, owner, onFatal, mailServer: this.#options.mailServer },
      issuer,
      link: (invitation) => this.identity.link(invitation),
    });
    const records = simAudit({
      ...{ files, folder: FOLDER, recovered, store, engine, issuer, clock: steady, time, owner, onFatal },
      onDamaged: (error) => this.#readsDamage(error, owner),
    });
    const running = { state, engine, sessions: registry, clock: steady, hashes, ...records };
    const gate = this.#gate(running, duties.office);
    await records.pruner.finish();
    // I9: nothing is granted before time counts.
    await engine.submit({ type: 'beginRestore' });
    await engine.submit({ type: 'noteWindow' });
    if (owner.dead) return;
    this.#windows.note(journal.position.seq, this.#leaseSeconds);
    this.#starting = null;
    const dispatcher = new Dispatcher(gate, defaultLimits, (event) => {
      if (event.type !== 'handlerError' || owner.dead) return;
      // The kill that was to come at an operation on the disk came at a read of a handler's.
      if (errnoOf(event.error) === 'CRASHED') this.crash(this.fate.survivors, true);
      else this.#options.onViolation(`a handler threw: ${String(event.error)}`);
    });
    const door = new HttpDoor(gate, dispatcher, registry);
    this.#running = { state, clock: steady, dispatcher, registry, gate, door, journal, store };
    this.head.renewed();
    startTicker(engine, TICK_MS);
    duties.begin();
    void records.older.start();
    time.every(FLUSH_MS, owner, () => {
      void store.flush().then(() => {
        this.#isRotten = false;
      });
    });
    if (!owner.dead) this.checkInvariants();
  }

  checkInvariants(): void {
    const { state, clock } = this.#up;
    if (state.tables.organisation.size === 0) return;
    for (const broken of brokenInvariants(state, clock.now())) this.#options.onViolation(broken);
  }

  accept(path: string, wire: Wire): void {
    const { gate, dispatcher, registry } = this.#up;
    this.#wires.add(wire);
    // One frame is one event here: nobody has to take turns within it.
    const atOnce = (_key: string, job: () => void) => job();
    const turns = { run: atOnce, runKnown: atOnce };
    const context = { gate, limits: defaultLimits, registry, dispatcher, turns, emit: () => {} };
    const connection = new Connection(
      wire.serverEnd as unknown as WebSocket,
      arrivalOf(path, wire, gate),
      context,
    );
    void connection.gone.then(() => this.#wires.delete(wire));
  }

  /** The process dies between two events, or with the power of the computer. */
  crash(survivors: Survivors, tellClients: boolean): void {
    if (this.owner.dead) return;
    this.onDying();
    this.onDying = () => {};
    this.crashes++;
    this.owner.dead = true;
    this.#running = null;
    this.#starting = null;
    for (const wire of this.#wires) wire.serverDied(tellClients);
    this.#wires.clear();
    this.isSilent = !tellClients;
    this.fate.fulfilled();
    this.disk.powerCut(survivors);
    this.onDown();
  }

  frameArrives(): void {
    const { owner } = this;
    this.fate.frameArrives(() => this.#die(owner));
  }

  #die(owner: Owner): void {
    if (owner === this.owner) this.crash(this.fate.survivors, true);
  }

  /** The next start must believe nothing of the stored state. */
  rotState(below: (bound: number) => number): void {
    if (rot(this.#rows.rows, below)) this.#isRotten = true;
  }

  /** Somebody puts a base of their own beside the journal, where that was pruned: nobody must go on from it. */
  forgeBase(): void {
    const { journal, store } = this.#up;
    void store.flush();
    forgeBase(this.disk, this.#rows.rows, journal);
  }

  heal(): void {
    this.fate.heal();
    this.diskLow = false;
    this.#options.time.thaw(this.owner);
  }

  /** Only a disk that fails explains it. */
  #readsDamage(error: unknown, owner: Owner): void {
    if (owner.dead) return;
    if (this.fate.isFailing) this.crash(this.fate.survivors, true);
    else this.#options.onViolation(`an older record, or the base, does not check: ${String(error)}`);
  }

  /** A failed write or sync: the process must stop at once (DESIGN 2). */
  #died(error: unknown): void {
    if (!this.fate.isFailing) this.#options.onViolation(`the server stopped: ${String(error)}`);
    this.crash(this.fate.survivors, true);
  }

  get #up(): Running {
    assert(this.#running !== null, 'the server is not running');
    return this.#running;
  }

  #gate(running: Parameters<typeof simGate>[0], mail: PostOffice): Gate {
    return simGate(running, {
      ...{ ...this.#options, leaseSeconds: this.#leaseSeconds, mail },
      identity: this.identity,
    });
  }
}
