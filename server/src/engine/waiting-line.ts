import { limits } from '@berth/protocol';
import type { Command, Denial, Settled } from '../domain/commands.js';
import { canPass, passing } from '../domain/decide/denial.js';
import { requestId } from '../domain/state.js';
import { type Place, PlaceTeller } from './place-teller.js';

type Checkout = Command<'checkout'>;

/** Somebody who waits for the answer to a checkout: one request on one connection. */
export interface Waiter {
  readonly command: Checkout;
  /** When it gives up, ms on the monotonic clock. */
  readonly untilMs: number;
  /** Called once, with the grant or the last denial. */
  readonly settle: (settled: Settled<'checkout'>) => void;
  /** Told where it stands: at once, and when that changes. */
  readonly onPlace: (place: Place) => void;
}

/** A place in line: one checkout by its key, whoever asks for it. A retry on another connection stands in the same place (I7). */
export interface Standing {
  readonly id: string;
  /** The order of arrival. */
  readonly ticket: number;
  /** Every product it may be served from, each once. */
  readonly products: readonly string[];
  /** As last asked: the newest session has to have room for the leases. */
  command: Checkout;
  denial: Denial;
  readonly waiters: Set<Waiter>;
}

/** A place whose connection broke: its client may come back to it. */
interface Left {
  readonly ticket: number;
  readonly untilMs: number;
}

/**
 * Decides a checkout once more, with so many shared seats of each product kept for those ahead of it. `null`: as before, it is
 * certain without looking that there are none.
 */
export type Attempt = (command: Checkout, ahead: ReadonlyMap<string, number>) => Settled<'checkout'> | null;

/**
 * Who waits for seats, first come first served. Not journaled: after a restart everybody comes again. Whoever waits keeps as many shared
 * seats as it wants from those behind it, so that a bundle or a large wish is not overtaken for ever; beyond that, they are anybody's.
 */
export class WaitingLine {
  readonly #line: Standing[] = [];
  readonly #byId = new Map<string, Standing>();
  readonly #perDevice = new Map<string, number>();
  readonly #left = new Map<string, Left>();
  readonly #teller = new PlaceTeller();
  readonly #kept = new Map<string, number>();
  #tickets = 0;
  /** Nobody's time is over before, ms on the monotonic clock. */
  #giveUpAtMs = Number.POSITIVE_INFINITY;
  /** To be served at the next tick: the server itself was in the way, or somebody left who kept seats from those behind. */
  stalled = false;

  get size(): number {
    return this.#line.length;
  }

  /** Product -> how many checkouts wait for it. */
  get waiting(): ReadonlyMap<string, number> {
    return this.#teller.waiting;
  }

  /** Whether one more checkout of this device may wait. */
  hasRoom(device: string): boolean {
    return this.#line.length < limits.waits && (this.#perDevice.get(device) ?? 0) < limits.waitsPerDevice;
  }

  find(command: Checkout): Standing | undefined {
    return this.#byId.get(idOf(command));
  }

  /** Shared seats kept for everybody in line, by product. */
  get kept(): ReadonlyMap<string, number> {
    return this.#kept;
  }

  /** Shared seats kept for those ahead of one in line, or of one that comes back to its place. */
  ahead(command: Checkout): ReadonlyMap<string, number> {
    const place = this.find(command) ?? this.#left.get(idOf(command));
    if (place === undefined) return this.#kept;
    const kept = new Map<string, number>();
    for (const standing of this.#line) {
      if (standing.ticket >= place.ticket) break;
      keep(kept, standing.command, 1);
    }
    return kept;
  }

  join(waiter: Waiter, denial: Denial, monoMs: number, nextFreeAtMs: NextFree): void {
    const { command } = waiter;
    const standing = this.find(command) ?? this.#enter(command, denial);
    standing.command = command;
    standing.waiters.add(waiter);
    this.#giveUpAtMs = Math.min(this.#giveUpAtMs, waiter.untilMs);
    const [oldest] = standing.waiters;
    if (standing.waiters.size > limits.waitersPerPlace) {
      standing.waiters.delete(oldest!);
      oldest!.settle(standing.denial);
    }
    this.#teller.welcome(this.#line, standing, waiter, monoMs, nextFreeAtMs);
  }

  #enter(command: Checkout, denial: Denial): Standing {
    const id = idOf(command);
    const ticket = this.#left.get(id)?.ticket ?? ++this.#tickets;
    this.#left.delete(id);
    const products = [...new Set(command.wants.flatMap((want) => want.products))];
    const standing: Standing = { id, ticket, products, command, denial, waiters: new Set() };
    const behind = ticket === this.#tickets ? -1 : this.#line.findIndex((other) => other.ticket > ticket);
    this.#line.splice(behind < 0 ? this.#line.length : behind, 0, standing);
    this.#byId.set(id, standing);
    this.#perDevice.set(command.by.device, (this.#perDevice.get(command.by.device) ?? 0) + 1);
    this.#teller.entered(standing);
    keep(this.#kept, command, 1);
    return standing;
  }

  /** Its connection broke. The place is kept for a while, in case the client comes back; meanwhile it is passed over. */
  leave(waiter: Waiter, monoMs: number): void {
    const standing = this.find(waiter.command);
    if (standing === undefined || !standing.waiters.delete(waiter) || standing.waiters.size > 0) return;
    this.#remove(standing);
    this.stalled = true;
    if (this.#left.size < limits.waits)
      this.#left.set(standing.id, { ticket: standing.ticket, untilMs: monoMs + limits.placeKeptMs });
  }

  /** The client does not want it any more. @returns whether it stood in line, or had just left it */
  cancel(device: string, key: string): boolean {
    const id = requestId(device, key);
    const standing = this.#byId.get(id);
    if (standing !== undefined) {
      this.#settle(standing, standing.denial);
      this.stalled = true;
    }
    return this.#left.delete(id) || standing !== undefined;
  }

  /** A retry of a checkout that waits got its seat: so did all who wait for it (I7). */
  answered(command: Checkout, settled: Settled<'checkout'>): void {
    const standing = this.find(command);
    if (standing !== undefined) this.#settle(standing, settled);
  }

  /** Seats may have come free: everybody is tried again, in order. */
  serve(attempt: Attempt, monoMs: number): void {
    this.stalled = false;
    const ahead = new Map<string, number>();
    for (let at = 0; at < this.#line.length; ) {
      const standing = this.#line[at]!;
      const settled = attempt(standing.command, ahead);
      if (settled !== null && !settled.ok && passing.has(settled.code)) {
        this.stalled = true;
        return;
      }
      if (settled !== null && (settled.ok || !canPass(settled))) {
        if (settled.ok) this.#teller.served(settled.outcome.leases, monoMs);
        this.#settle(standing, settled);
        continue;
      }
      if (settled !== null) standing.denial = settled;
      keep(ahead, standing.command, 1);
      at += 1;
    }
  }

  /** Ends the wait of those whose time is over, with the denial as it is now, and forgets places nobody came back to. */
  giveUp(monoMs: number, attempt: (command: Checkout) => Settled<'checkout'>): void {
    if (monoMs >= this.#giveUpAtMs) this.#endWaits(monoMs, attempt);
    for (const [id, { untilMs }] of this.#left) {
      if (untilMs > monoMs) break;
      this.#left.delete(id);
    }
  }

  #endWaits(monoMs: number, attempt: (command: Checkout) => Settled<'checkout'>): void {
    for (const standing of this.#line.filter((each) => firstEndOf(each) <= monoMs)) {
      const over = [...standing.waiters].filter(({ untilMs }) => untilMs <= monoMs);
      const settled = attempt(standing.command);
      for (const waiter of over) standing.waiters.delete(waiter);
      if (settled.ok || standing.waiters.size === 0) {
        this.#settle(standing, settled);
        this.stalled = true;
      }
      for (const waiter of over) waiter.settle(settled);
    }
    this.#giveUpAtMs = this.#line.reduce((first, each) => Math.min(first, firstEndOf(each)), Infinity);
  }

  /** Tells those whose place or estimate has changed, each no more often than `queuedEveryMs`. */
  tell(monoMs: number, nextFreeAtMs: NextFree): void {
    this.#teller.tell(this.#line, monoMs, nextFreeAtMs);
  }

  /** Ends every wait with the same denial: the server is going away. */
  dismiss(denial: Denial): void {
    for (const standing of [...this.#line]) this.#settle(standing, denial);
  }

  #settle(standing: Standing, settled: Settled<'checkout'>): void {
    this.#remove(standing);
    for (const waiter of standing.waiters) waiter.settle(settled);
  }

  #remove(standing: Standing): void {
    const at = this.#line.indexOf(standing);
    if (at >= 0) this.#line.splice(at, 1);
    this.#byId.delete(standing.id);
    const { device } = standing.command.by;
    const left = (this.#perDevice.get(device) ?? 0) - 1;
    if (left > 0) this.#perDevice.set(device, left);
    else this.#perDevice.delete(device);
    this.#teller.left(standing);
    keep(this.#kept, standing.command, -1);
  }
}

/** When the next seat of a product is free at the latest if nobody renews, ms since 1970; `null` when nobody can tell. */
export type NextFree = (product: string) => number | null;

function firstEndOf({ waiters }: Standing): number {
  let first = Number.POSITIVE_INFINITY;
  for (const { untilMs } of waiters) first = Math.min(first, untilMs);
  return first;
}

function idOf({ request }: Checkout): string {
  return requestId(request.device, request.key);
}

/** Seats of every product that a checkout may be served from. */
function keep(kept: Map<string, number>, { wants }: Checkout, sign: 1 | -1): void {
  for (const { products, seats } of wants) {
    for (const product of products) {
      const sum = (kept.get(product) ?? 0) + sign * seats;
      if (sum === 0) kept.delete(product);
      else kept.set(product, sum);
    }
  }
}
