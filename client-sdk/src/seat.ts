import { errors, type LeaseKind, type LeaseWarning, STOP_MS } from '@berth/protocol';
import type { LostNotice, Seat, SeatEvents, SeatPart, SeatState, TokenPair, WarningNotice } from './api.js';
import type { BerthError } from './errors.js';
import type { CancelTimer, Host } from './host.js';
import { Idleness } from './idleness.js';
import { Listeners } from './listeners.js';
import { nextChangeMs, type Right, readClock, remainingMs, stateOf } from './seat-clock.js';
import { SeatWarnings } from './seat-warnings.js';
import { timing } from './timing.js';

/** One lease of a seat, as last renewed. */
export interface SeatLease {
  readonly id: string;
  /** The seat on the server: leases that share one count once. */
  readonly seat: string;
  readonly product: string;
  /** How many seats of the product it is worth. */
  readonly seats: number;
  readonly pair: TokenPair;
  readonly right: Right;
}

/** Tells the server, or for a borrow the other processes, that the seat is no longer used. Never rejects. */
export type GiveBack = (leases: readonly SeatLease[], revoked: boolean) => Promise<void>;

export interface SeatFacts {
  /** At least one, each of another product. */
  readonly parts: readonly { readonly product: string; readonly seats: number }[];
  readonly kind: LeaseKind;
  readonly joined: boolean;
  readonly leases: readonly SeatLease[];
}

/**
 * A seat: its leases, their rights on this computer's clocks, and what the plugin is told. It is only of use while every lease of it
 * is. It knows nothing of sockets: who renews it calls `renewed`, `ending` and `lose`.
 */
export class HeldSeat implements Seat {
  readonly joined: boolean;
  readonly #parts: SeatFacts['parts'];
  readonly #host: Host;
  readonly #leases = new Map<string, SeatLease>();
  /** Of its leases, as they are now: looked at every few seconds. */
  #rights: readonly Right[] = [];
  readonly #listeners = new Listeners<SeatEvents>();
  readonly #warnings = new SeatWarnings();
  #kind: LeaseKind;
  #giveBack: GiveBack;
  #lost: LostNotice | null = null;
  #revoked = false;
  #trouble: Pick<BerthError, 'code' | 'message'> | null = null;
  /** Leases that the server renews no more, for now. */
  readonly #ending = new Map<string, Pick<BerthError, 'code' | 'message'>>();
  #announced: SeatState = 'held';
  #releasing: Promise<void> | null = null;
  #watchTimer: CancelTimer | null = null;
  #lateTimer: CancelTimer | null = null;
  #letProcessEnd: (() => void) | null;
  readonly #idleness: Idleness;

  /** @param onActive used again after the server was told that it is idle */
  constructor(host: Host, facts: SeatFacts, giveBack: GiveBack, onActive: () => void = () => {}) {
    this.#idleness = new Idleness(host.clock, onActive);
    this.#parts = facts.parts;
    this.joined = facts.joined;
    this.#host = host;
    this.#kind = facts.kind;
    this.#giveBack = giveBack;
    this.#put(facts.leases);
    this.#letProcessEnd = host.keepAlive();
    this.#watch();
  }

  get state(): SeatState {
    if (this.#lost !== null) return 'lost';
    if (this.#releasing !== null) return 'released';
    const state = stateOf(this.#rights, readClock(this.#host.clock));
    // Final from the first read that sees it, even if a clock is set back afterwards (I2).
    if (state === 'lost') this.#lost = this.#timeIsUp();
    return state === 'held' && this.#ending.size > 0 ? 'grace' : state;
  }

  get product(): string {
    return this.#parts[0]!.product;
  }
  get seats(): number {
    return this.#parts[0]!.seats;
  }
  get parts(): readonly SeatPart[] {
    return this.#parts.map((part) => {
      const leases = this.leases.filter(({ product }) => product === part.product);
      return { ...part, leaseIds: leases.map(({ id }) => id) };
    });
  }
  get kind(): LeaseKind {
    return this.#kind;
  }
  get expiresAtMs(): number {
    return Math.round(this.#host.clock.wallMs() + this.remainingMs);
  }
  get leaseIds(): readonly string[] {
    return [...this.#leases.keys()];
  }
  get tokens(): readonly TokenPair[] {
    return this.leases.map((lease) => lease.pair);
  }
  get lost(): LostNotice | null {
    return this.state === 'lost' ? this.#lost : null;
  }
  get warning(): WarningNotice | null {
    return this.#warnings.first;
  }
  get leases(): readonly SeatLease[] {
    return [...this.#leases.values()];
  }
  get remainingMs(): number {
    return remainingMs(this.#rights, readClock(this.#host.clock));
  }
  /** The shortest D of its leases, ms. */
  get durationMs(): number {
    return Math.min(...this.#rights.map((right) => right.durationMs));
  }

  on<E extends keyof SeatEvents>(event: E, listener: (notice: SeatEvents[E]) => void): () => void {
    return this.#listeners.on(event, listener);
  }

  idle(sinceMs = 0): void {
    this.#idleness.idle(sinceMs);
  }

  active(): void {
    this.#idleness.active();
  }

  /** For how long nobody has used the plugin, whole seconds, to be told to the server now; `null` when somebody does. */
  tellIdleSeconds(): number | null {
    return this.#kind === 'online' ? this.#idleness.tellSeconds() : null;
  }

  release(): Promise<void> {
    if (this.#releasing !== null) return this.#releasing;
    // Read before anything changes: a seat that is already lost stays lost.
    void this.state;
    const done = this.#giveBack(this.leases, this.#revoked);
    this.#releasing = done;
    this.#clearTimers();
    this.#watch();
    return done;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.release();
  }

  /** A renewal was confirmed and its token verified. Too late, it changes nothing and the lease is given back (I2). */
  renewed(lease: SeatLease): void {
    const { state } = this;
    if (state === 'lost') this.#giveBackLate();
    if (state === 'lost' || state === 'released') return;
    this.#put([lease]);
    this.#ending.delete(lease.id);
    this.#trouble = null;
    this.#watch();
  }

  /** Renewal does not work at the moment: what the grace notice will say. */
  troubled({ code, message }: BerthError): void {
    this.#trouble = { code, message };
  }

  /** The server does not renew this lease. The right it gave lasts to its end: grace from now on, unless it is renewed after all. */
  ending(id: string, code: BerthError['code']): void {
    this.#ending.set(id, { code, message: errors[code].text });
    this.#watch();
  }

  /** The right has ended: the plugin must stop. @param revoked it is given back with a signed stop, once the plugin has */
  lose(notice: LostNotice, revoked: boolean): void {
    if (revoked) this.#revoked = true;
    const { state } = this;
    if (state === 'lost' || state === 'released') return;
    this.#lost = notice;
    this.#watch();
  }

  /** The server made a borrow of it: from now on it lasts as long as that, without the server. */
  convert(leases: readonly SeatLease[], giveBack: GiveBack): boolean {
    const { state } = this;
    if (state === 'lost' || state === 'released') return false;
    this.#kind = 'borrow';
    this.#giveBack = giveBack;
    this.#trouble = null;
    this.#ending.clear();
    this.#leases.clear();
    this.#put(leases);
    this.#watch();
    return true;
  }

  message(text: string, from: string): void {
    this.#listeners.tell('message', { text, from });
  }

  /** The server says that a lease of it will end, or (`null`) knows of no end. */
  warned(id: string, warning: LeaseWarning | null): void {
    const notice = this.#warnings.put(id, warning, this.#host.clock.wallMs());
    const { state } = this;
    if (notice !== null && state !== 'lost' && state !== 'released') this.#listeners.tell('warning', notice);
  }

  /** Announces what has changed, and looks again when the clocks alone will change it. */
  #watch(): void {
    this.#watchTimer?.();
    this.#watchTimer = null;
    const { state } = this;
    if (state === 'lost' || state === 'released') {
      this.#letProcessEnd?.();
      this.#letProcessEnd = null;
    } else {
      const changeMs = nextChangeMs(this.#rights, readClock(this.#host.clock));
      this.#watchTimer = this.#host.setTimer(
        () => this.#watch(),
        Math.min(Math.ceil(changeMs), timing.lookMs),
      );
    }
    this.#announce(state);
  }

  #announce(state: SeatState): void {
    const before = this.#announced;
    if (state === before) return;
    this.#announced = state;
    const expiresAtMs = this.expiresAtMs;
    if (state === 'lost' && this.#lost !== null) this.#listeners.tell('lost', this.#lost);
    if (state === 'held') this.#listeners.tell('recovered', { expiresAtMs });
    if (state !== 'grace') return;
    const [ending] = this.#ending.values();
    const { code, message } = ending ?? this.#trouble ?? overdue;
    this.#listeners.tell('grace', { code, message, expiresAtMs });
  }

  #giveBackLate(): void {
    if (this.#revoked || this.#releasing !== null || this.#lateTimer !== null) return;
    // The plugin has this long to stop (I2, delta); a release of its own comes first.
    this.#lateTimer = this.#host.setTimer(() => void this.release(), STOP_MS);
  }

  #timeIsUp(): LostNotice {
    const [ending] = this.#ending.values();
    if (ending !== undefined) return { ...ending, hint: errors[ending.code].next, by: null };
    if (this.#kind === 'borrow') {
      return { code: 'SEAT_LOST', message: 'The borrow has ended.', hint: 'Check out again.', by: null };
    }
    const reason = this.#trouble === null ? '' : ` ${this.#trouble.message}`;
    return {
      code: 'SEAT_LOST',
      message: `${errors.SEAT_LOST.text}${reason}`,
      hint: errors.SEAT_LOST.next,
      by: null,
    };
  }

  #put(leases: readonly SeatLease[]): void {
    for (const lease of leases) this.#leases.set(lease.id, lease);
    this.#rights = this.leases.map(({ right }) => right);
  }

  #clearTimers(): void {
    this.#watchTimer?.();
    this.#lateTimer?.();
    this.#watchTimer = null;
    this.#lateTimer = null;
  }
}

const overdue = {
  code: 'CONNECTION_LOST' as const,
  message: 'The licence server has not renewed the seat in time.',
};
