import { createHash } from 'node:crypto';
import type { AdminConnection, Host, Seat } from '@berth/client';
import { joinWith, openAdminWith } from '@berth/client/internal';
import type { Quiet } from '../auditor/evidence.js';
import type { Entry, Happening } from '../auditor/history.js';
import { FakeFiles } from '../unit/sdk/fake-files.js';
import { AdminFiles } from './admin-files.js';
import type { SimBackup } from './office-backup.js';
import { unlikeJournal } from './rebuilt.js';
import { SimClock } from './sim-clock.js';
import type { SimCrypto } from './sim-crypto.js';
import { type HostParts, simHost } from './sim-host.js';
import { SimMailServer } from './sim-mail.js';
import { type Line, SimNetwork } from './sim-network.js';
import { Dice } from './sim-random.js';
import { SimServer } from './sim-server.js';
import { newOwner, type Owner, SimTime } from './sim-time.js';
import { SimVendor } from './sim-vendor.js';
import { journalOf } from './site-journal.js';
import { Stillness } from './stillness.js';

export interface SiteTraits {
  readonly crypto: SimCrypto;
  /** D of the leases of this site. */
  readonly leaseSeconds: number;
  /** The most that somebody borrows for. */
  readonly loanSeconds: number;
  /** Seats of each pool, as a multiple of those for 20 clients. */
  readonly scale: number;
}

/** Something that went wrong, and when: ms of true time. */
export interface Trouble {
  readonly atMs: number;
  readonly text: string;
}

/** So many pieces of history are hashed at once. */
const HASHED_AT_ONCE = 500;

/** From the loss of the server's computer until another one is there: longer than any frame is on its way. */
const LOST_MS = 60_000;

/** A computer with a disk and clocks that outlive its processes. */
export interface Computer {
  readonly name: string;
  readonly files: FakeFiles;
  readonly clock: SimClock;
  readonly line: Line;
  readonly email: string;
  /** The process of the plugin; dead ones are replaced. */
  owner: Owner;
  processes: number;
  /** What befalls the process that next asks for a renewal. */
  onRenewal: ((owner: Owner) => void) | null;
}

export interface AdminSeat {
  readonly computer: Computer;
  readonly host: Host;
  readonly admin: AdminConnection;
}

/** A vendor, a server, computers with people at them: everything but what they do. */
export class Site {
  readonly time = new SimTime();
  readonly network: SimNetwork;
  readonly server: SimServer;
  readonly mailServer: SimMailServer | null;
  readonly serverClock: SimClock;
  readonly computers: Computer[] = [];
  readonly entries: Entry[] = [];
  readonly violations: Trouble[] = [];
  /** What was done to it, in order. */
  readonly told: Trouble[] = [];
  /** W of a lease, and a bit: what comes back later than this finds its seat gone. */
  readonly longMs: number;
  /** The longest that somebody borrows for. */
  readonly loanMs: number;
  readonly #scale: number;
  /** Until then an admin vouches for the server's clock: nobody sets it wrong. */
  vouchedUntilMs = 0;
  spaceReturned = 0;
  /** When nothing goes wrong any more, and clients still live on. */
  quiet: Quiet | undefined;
  /** The newest one that somebody made. */
  backup: SimBackup | null = null;
  /** Of the admins: what they have of records that the server let go of. */
  readonly adminFiles = new AdminFiles();
  /** Since when the server is one that was made of a backup. */
  restoredAtMs: number | undefined;
  #isClosed = false;
  /** Whose clocks did what I3 promises nothing about: names of computers, and of the server. */
  readonly beyondPromise = new Set<string>();
  readonly vendor: SimVendor;
  readonly seed: number;
  readonly #crypto: SimCrypto;
  readonly #fate = newOwner();
  readonly #stillness = new Stillness();
  readonly #history = createHash('sha256');
  #unhashed: string[] = [];
  readonly #living = new Map<string, Owner>();

  constructor(seed: number, { crypto, leaseSeconds, loanSeconds, scale }: SiteTraits) {
    this.seed = seed;
    this.#scale = scale;
    this.longMs = leaseSeconds * 1250;
    this.loanMs = loanSeconds * 1000;
    this.#crypto = crypto;
    const dice = this.dice('site');
    this.serverClock = new SimClock(this.time, { driftPpm: dice.between(-1000, 1000), wallOffsetMs: 0 });
    const traits = {
      latencyMs: dice.pick([0.5, 5, 40]),
      duplicates: dice.pick([0, 0.01]),
      reorders: dice.pick([0, 0.01]),
      delays: dice.pick([0, 0.01]),
      drops: dice.pick([0, 0, 0.002]),
    };
    this.network = new SimNetwork(this.time, this.dice('network'), traits);
    const post = this.dice('mail');
    this.mailServer = post.chance(0.75) ? new SimMailServer(this.time, post, this.#fate) : null;
    this.server = new SimServer({
      mailServer: this.mailServer,
      time: this.time,
      clock: this.serverClock,
      dice: this.dice('server'),
      crypto,
      leaseSeconds,
      segmentBytes: Math.ceil(this.dice('journal').pick([12, 32, 96]) * 1024 * Math.max(1, scale)),
      onViolation: (text) => this.violation(text),
      onRebuilt: (state) => {
        const wrong = unlikeJournal(state, journalOf(this).journal);
        if (wrong !== null)
          this.violation(`a state that was rebuilt from a base is not the true one: ${wrong}`);
      },
    });
    this.vendor = new SimVendor(crypto, this.server.identity.keyText);
    this.network.onServerFrame = () => this.server.frameArrives();
  }

  /** A person, or fate: nobody whose computer can stand still. */
  later(delayMs: number, action: () => void): void {
    this.time.after(delayMs, this.#fate, action);
  }

  /** No fault goes on, and none is under way. */
  heal(): void {
    this.network.faulty = false;
    this.server.heal();
    if (this.mailServer !== null) this.mailServer.isHealed = true;
    for (const computer of this.computers) {
      const { line, owner, clock } = computer;
      computer.onRenewal = null;
      line.downUntilMs = 0;
      this.time.thaw(owner);
      clock.thaw();
    }
    this.serverClock.thaw();
    this.serverClock.setRight();
    this.startServer();
  }

  /** The computer of the server is lost, and another one is made of the backup. @param judge is asked before the old journal is gone */
  async restore(backup: SimBackup, judge: () => void): Promise<void> {
    this.#isClosed = true;
    this.server.crash('ALL', false);
    // What it had sent still arrives: an answer of the old one must not be held against the new one.
    await new Promise<void>((resolve) => this.later(LOST_MS, resolve));
    this.server.heal();
    judge();
    const entitlements = await this.server.restore(backup);
    this.server.head.renewed();
    this.restoredAtMs = this.time.nowMs;
    this.#record('nobody', this.serverClock, { event: 'restored', entitlements });
    this.#isClosed = false;
    this.startServer();
  }

  /** A new process of the server, unless one runs. */
  startServer(): void {
    if (this.server.isUp || this.server.isStarting || this.#isClosed) return;
    this.server.start().catch((error: unknown) => this.#didNotStart(error));
  }

  /** So many seats of a site for 20 clients, on one of this size: at least one. */
  seats(count: number): number {
    return Math.max(1, Math.round(count * this.#scale));
  }

  dice(name: string): Dice {
    return new Dice(this.seed, name);
  }

  violation(text: string): void {
    this.violations.push({ atMs: this.time.nowMs, text });
  }

  /** Something was done to it. */
  tellFault(text: string): void {
    this.told.push({ atMs: this.time.nowMs, text });
    this.historyOf(`! ${text}`);
  }

  /** Everything that any client sent or heard, and every fault, is part of the history. */
  historyOf(text: string): void {
    this.#unhashed.push(`${this.time.nowMs} ${text}\n`);
    if (this.#unhashed.length >= HASHED_AT_ONCE) this.#hash();
  }

  /** SHA-256, hex. The end of it: nothing can be added any more. */
  historyHash(): string {
    this.#hash();
    return this.#history.digest('hex');
  }

  #hash(): void {
    this.#history.update(this.#unhashed.join(''));
    this.#unhashed = [];
  }

  /** Time goes by until the promise has settled. */
  async settled<T>(work: Promise<T>): Promise<T> {
    let done = false;
    const ended = (): void => {
      done = true;
    };
    work.then(ended, ended);
    await this.run(Number.POSITIVE_INFINITY, () => done);
    return work;
  }

  /** Everything up to that moment. @throws StandsStill */
  run(untilMs: number, until: () => boolean = () => false): Promise<void> {
    return this.time.run(untilMs, () => {
      this.#stillness.look(this.time.nowMs);
      return until();
    });
  }

  addComputer(name: string, email: string): Computer {
    const dice = this.dice(`computer ${name}`);
    const traits = {
      driftPpm: dice.between(-1000, 1000),
      wallOffsetMs: dice.between(-5 * 60_000, 5 * 60_000),
    };
    const computer: Computer = {
      name,
      email,
      files: new FakeFiles(),
      clock: new SimClock(this.time, traits),
      line: { address: `10.0.0.${this.computers.length + 1}`, downUntilMs: 0 },
      owner: newOwner(),
      processes: 0,
      onRenewal: null,
    };
    this.computers.push(computer);
    return computer;
  }

  /** A new process on a computer. */
  startProcess(computer: Computer): Host {
    return simHost(this.#startOn(computer));
  }

  #startOn(computer: Computer): HostParts {
    computer.owner = newOwner();
    const processId = `${computer.name}/${++computer.processes}`;
    this.#living.set(processId, computer.owner);
    const { clock, line, files, owner } = computer;
    return {
      time: this.time,
      network: this.network,
      server: this.server,
      crypto: this.#crypto,
      dice: this.dice(processId),
      clock,
      files,
      line,
      owner,
      processId,
      isAlive: (id) => this.#living.get(id)?.dead === false,
      record: (happening) => this.#record(processId, clock, happening),
      passed: (direction, text) => {
        this.historyOf(`${processId} ${direction} ${text}`);
        if (computer.onRenewal === null || computer.owner !== owner || direction === '<') return;
        if (!text.includes('"lease.renew"')) return;
        computer.onRenewal(owner);
        computer.onRenewal = null;
      },
    };
  }

  /** What the process of a computer is told by a seat, as the plugin sees it. */
  sawState(
    { clock }: Computer,
    processId: string,
    seat: Pick<Seat, 'state' | 'leaseIds' | 'expiresAtMs'>,
  ): void {
    const { state, leaseIds: leases } = seat;
    const leftMs = seat.expiresAtMs - clock.wallMs();
    this.#record(processId, clock, { event: 'state', state, leases, leftMs });
  }

  /** Its plugin uses a seat no more. */
  stopped({ clock }: Computer, processId: string, { leaseIds: leases }: Pick<Seat, 'leaseIds'>): void {
    this.#record(processId, clock, { event: 'stopped', leases });
  }

  /** One more process on a computer, beside the one that its faults are about. */
  startBeside(computer: Computer): Host {
    return simHost(this.startScript(computer));
  }

  /** The same, for one that brings no SDK. */
  startScript(computer: Computer): HostParts {
    const { owner } = computer;
    const parts = this.#startOn(computer);
    computer.owner = owner;
    return parts;
  }

  /** Founds the organisation. @returns the owner's computer and channel. */
  async found(): Promise<AdminSeat> {
    const email = 'owner@studio.example';
    const link = await this.settled(this.server.found(email));
    return this.joinAsAdmin(this.addComputer('owner', email), link);
  }

  async join(computer: Computer, link: string): Promise<Host> {
    const host = this.startProcess(computer);
    await this.settled(joinWith(host, { link }));
    return host;
  }

  async joinAsAdmin(computer: Computer, link: string): Promise<AdminSeat> {
    const host = await this.join(computer, link);
    return { computer, host, admin: await this.settled(openAdminWith(host, {})) };
  }

  #didNotStart(error: unknown): void {
    // A fault that was under way may hit the start as well.
    if (this.server.fate.isFailing) this.server.crash(this.server.fate.survivors, true);
    else this.violation(`the server does not start: ${error instanceof Error ? error.stack : String(error)}`);
  }

  #record(process: string, clock: SimClock, happening: Happening): void {
    this.entries.push({ t: this.time.nowMs, wallMs: clock.wallMs(), process, ...happening });
  }
}
