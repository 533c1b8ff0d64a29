import { BORROW_MAX_SKEW_MS, type LeaseClaims } from '@berth/protocol';
import type { Change } from '../changes.js';
import { type Command, type Context, type Decision, type Denial, deny } from '../commands.js';
import { borrowEndsMs } from '../evolve.js';
import { borrowedSeats, isWithdrawn } from '../pending.js';
import { isActive, usageOf } from '../pools.js';
import { isHolding } from '../restore.js';
import { type Device, type Lease, type Seat, type State, shareKey } from '../state.js';
import { Tally } from '../table.js';
import { beyondCap } from './borrow-cap.js';
import { choose, fits, type Term } from './choose.js';
import { explain, leaseFreeAtMs } from './denial.js';
import { closed, deviceOf, grantLease, grantSeats } from './grant.js';
import { Kept } from './linger.js';
import { leaving, withdrawn } from './pending.js';
import { isOpenTo } from './sharing.js';

/**
 * Borrows seats: extends the borrow this device has, else converts the seat it holds, else takes free ones (DESIGN 5). A converted
 * seat keeps its id, so the running plugin and the borrow count once.
 */
export function borrow(state: State, command: Command<'borrow'>, context: Context): Decision<'borrow'> {
  const refused = closed(state, context) ?? skewed(command, context);
  if (refused !== null) return refused;
  const device = deviceOf(state, command.by);
  if ('ok' in device) return device;
  const gone = leaving(state, device.email, context.now);
  if (gone !== null) return gone;
  return lend(state, device, { ...command, holdMs: 0 }, context);
}

/** What is lent, for how long. `holdMs`: how much longer than its window says the seat is held. */
export interface Loan {
  readonly product: string;
  readonly seats: number;
  readonly seconds: number;
  readonly nonce: string;
  readonly holdMs: number;
}

/** Lends seats to a device; it need not be in the state yet. */
export function lend(state: State, device: Device, command: Loan, context: Context): Decision<'borrow'> {
  const product = state.tables.product.get(command.product);
  if (product === undefined)
    return deny('NO_PRODUCT', undefined, { product: command.product, rule: 'NOT_ENTITLED' });
  const { seconds, holdMs } = command;
  const term: Term = { kind: 'borrow', seconds, holdMs, now: context.now };
  // I1: while more is in use than owned, a borrow would make the excess irrevocable.
  if (usageOf(state, product.product, context.now).over > 0) {
    return explain(state, product.product, 'SHRUNK', context.now);
  }
  const kept = withdrawn(state, ownBorrowed(state, command.product, device), context.now);
  if (kept !== null) return kept;
  const own = convertible(state, command, device, term);
  if (own !== null) {
    const capped =
      tooOften(state, own, device) ??
      beyondCap(state, product, device.email, unborrowed(state, own), context);
    if (capped !== null) return capped;
    const lasting = covering(state, own, device, term);
    if (!own.every(({ entitlement }) => fits(state.tables.entitlement.get(entitlement)!, lasting)))
      return tooOld(explain(state, product.product, 'BORROW_LENGTH', context.now));
    const granted = convert(own, { ...command, term: lasting }, device, context);
    return { ok: true, changes: granted.changes, outcome: outcomeOf(state, granted.leases, holdMs) };
  }
  const sharedKept = context.awaited.get(product.product) ?? 0;
  const wish = { ...term, product: product.product, email: device.email, seats: command.seats, sharedKept };
  const given = new Kept(state, product, device).giveUp();
  const choice = choose(state, wish, given.taken);
  if (!choice.ok) return explainBorrow(state, command, choice.rule, context);
  const capped = beyondCap(state, product, device.email, command.seats, context);
  if (capped !== null) return capped;
  const key = shareKey(product.share, product.product, device.id, device.email);
  const asked = { product: product.product, device, shareKey: key, nonce: command.nonce, term };
  const { changes, leases } = grantSeats(choice.picks, asked, context);
  return { ok: true, changes: [...given.changes, ...changes], outcome: outcomeOf(state, leases, holdMs) };
}

function outcomeOf(
  state: State,
  leases: readonly LeaseClaims[],
  holdMs: number,
): Extract<Decision<'borrow'>, { ok: true }>['outcome'] {
  const entitlements = leases.map(({ ent }) => state.tables.entitlement.get(ent)!.claims);
  const late = entitlements.some(({ earlyReturn }) => earlyReturn === 'at-expiry');
  return {
    leases,
    freeAtMs: Math.max(...leases.map((claims) => borrowEndsMs({ claims, holdMs }))),
    earlyReturn: late ? 'at-expiry' : 'at-once',
  };
}

/** A borrow lives on wall clocks: a client whose clock is far off is lent nothing (I3). */
function skewed(command: Command<'borrow'>, context: Context): Denial | null {
  const offMs = command.clientWallMs - context.now.wallMs;
  if (Math.abs(offMs) <= BORROW_MAX_SKEW_MS) return null;
  const minutes = Math.round(Math.abs(offMs) / 60_000);
  const message = `The clock of this computer is ${minutes} minutes ${offMs > 0 ? 'ahead of' : 'behind'} the clock of the server.`;
  return deny('CLOCK_SKEW', message, { offMs, allowedMs: BORROW_MAX_SKEW_MS });
}

/** Of a group of seats: how many a borrow of them would add to those that are borrowed. */
function unborrowed(state: State, seats: readonly Seat[]): number {
  const added = seats.filter(({ id }) => state.derived.statusBySeat.get(id) !== 'borrowed');
  return added.reduce((sum, { count }) => sum + count, 0);
}

/** What this device has borrowed of the product: asked for again, it is lent for longer unless a revoke of it is pending (I8). */
function ownBorrowed(state: State, product: string, device: Device): Seat[] {
  const seats = borrowedSeats(state, state.derived.seatsByUser.get(device.email));
  return seats.filter((seat) => seat.product === product && ownBorrows(state, seat, device).length > 0);
}

/** The seats of one group that this device has of the product, if a borrow of them fits; those already borrowed come first. */
function convertible(state: State, command: Loan, device: Device, term: Term): Seat[] | null {
  const groups = new Map<string, Seat[]>();
  for (const id of state.derived.seatsByUser.get(device.email)) {
    const seat = state.tables.seat.get(id)!;
    if (seat.product !== command.product || !heldBy(state, seat, device) || seat.earlier === 'unseen')
      continue;
    if (isWithdrawn(state, seat.entitlement, seat.allocation) || !isOpenTo(state, seat)) continue;
    groups.set(seat.group, [...(groups.get(seat.group) ?? []), seat]);
  }
  const fitting = [...groups.values()].filter((seats) => lendable(state, seats, command.seats, term));
  const borrowedFirst = (seats: Seat[]): number =>
    state.derived.statusBySeat.get(seats[0]!.id) === 'borrowed' ? 0 : 1;
  return fitting.sort((a, b) => borrowedFirst(a) - borrowedFirst(b))[0] ?? null;
}

function heldBy(state: State, seat: Seat, device: Device): boolean {
  for (const id of state.derived.leasesBySeat.get(seat.id)) {
    const lease = state.tables.lease.get(id)!;
    if (lease.device === device.id && lease.state === 'open') return true;
  }
  return false;
}

/** True when exactly these seats are asked for, each entitlement lends that long, and the not yet borrowed ones fit its limit. */
function lendable(state: State, seats: readonly Seat[], asked: number, term: Term): boolean {
  if (seats.reduce((sum, seat) => sum + seat.count, 0) !== asked) return false;
  const lent = new Tally();
  for (const seat of seats) {
    if (state.derived.statusBySeat.get(seat.id) !== 'borrowed') lent.add(seat.entitlement, seat.count);
  }
  return seats.every(({ entitlement: id }) => {
    const entitlement = state.tables.entitlement.get(id)!;
    if (!isActive(entitlement, term.now) || !fits(entitlement, term)) return false;
    // I9: as many as it allows may be borrowed already, by somebody nobody here knows of.
    if (lent.get(id) > 0 && (isHolding(state) || state.tables.reserve.has(id))) return false;
    // Its seats are taken already: only the limit of borrowed seats matters, not the room. A revision may have made it smaller.
    const { seats: owned, borrow: may } = entitlement.claims;
    const limit = Math.min(owned, may?.seats ?? 0);
    return lent.get(id) === 0 || state.derived.borrowedByEntitlement.get(id) + lent.get(id) <= limit;
  });
}

/** A new borrow of these seats is at least as long as those that this device already has of them: it covers what their tokens still allow. */
function covering(state: State, seats: readonly Seat[], device: Device, asked: Term): Term {
  const old = seats.flatMap((seat) => ownBorrows(state, seat, device));
  const nowSeconds = Math.floor(asked.now.wallMs / 1000);
  return { ...asked, seconds: Math.max(asked.seconds, ...old.map(({ claims }) => claims.exp - nowSeconds)) };
}

/** What is already borrowed, held longer for the age of a request (I3), would outlive its entitlement (DESIGN 4). */
function tooOld(denial: Denial): Denial {
  return {
    ...denial,
    message:
      'The request is so old that what is already borrowed would be held beyond the end of its entitlement.',
    next: 'Make a new request on that machine and bring it sooner.',
  };
}

/**
 * A borrow of seats that this device has, beside those it has of them already: an earlier token is good to its own end, and another process of
 * the device may have it, or get it yet, which the one that extends knows nothing of. So each ends by its own time or its own stop (I1).
 */
function convert(
  seats: readonly Seat[],
  asked: { readonly nonce: string; readonly term: Term },
  device: Device,
  context: Context,
): { changes: Change[]; leases: LeaseClaims[] } {
  const asker = { device, nonce: asked.nonce, term: asked.term };
  const granted = seats.map((seat) => grantLease(seat, seat.count, asker, context));
  return { changes: granted.map(({ change }) => change), leases: granted.map(({ claims }) => claims) };
}

/** Borrows of one seat that a device may have at once: a month of daily extensions, twice. Each is a row, and asked for by a client. */
const BORROWS_PER_SEAT = 64;

function tooOften(state: State, seats: readonly Seat[], device: Device): Denial | null {
  if (seats.every((seat) => ownBorrows(state, seat, device).length < BORROWS_PER_SEAT)) return null;
  return deny(
    'BORROW_LIMIT',
    `This borrow was extended ${BORROWS_PER_SEAT} times, and none of these has run out yet.`,
    undefined,
    'Return it and borrow anew, or wait until the first of them has run out.',
  );
}

function ownBorrows(state: State, seat: Seat, device: Device): Lease[] {
  return [...state.derived.leasesBySeat.get(seat.id)]
    .map((id) => state.tables.lease.get(id)!)
    .filter((lease) => lease.claims.kind === 'borrow' && lease.device === device.id);
}

function explainBorrow(
  state: State,
  command: Loan,
  rule: Parameters<typeof explain>[2],
  context: Context,
): Denial {
  const denial = explain(state, command.product, rule, context.now);
  if (rule !== 'BORROW_LENGTH') return denial;
  const longest = longestBorrowSeconds(state, command, context);
  return {
    ...denial,
    message: `The longest borrow possible now is ${spanWords(longest)}.`,
    detail: { ...denial.detail, maxSeconds: longest },
  };
}

/** Rounded down, so that asking for what it says is granted: `30 d`, `2 h 5 min`, `45 s`. */
function spanWords(seconds: number): string {
  const [days, hours] = [Math.floor(seconds / 86_400), Math.floor((seconds % 86_400) / 3600)];
  const minutes = days > 0 ? 0 : Math.floor((seconds % 3600) / 60);
  const parts = [days > 0 && `${days} d`, hours > 0 && `${hours} h`, minutes > 0 && `${minutes} min`];
  return parts.filter(Boolean).join(' ') || `${seconds} s`;
}

/** The longest borrow any entitlement of the product allows now: by its limit and by its own end, hold included. */
function longestBorrowSeconds(state: State, { product, holdMs }: Loan, { now }: Context): number {
  let longest = 0;
  for (const id of state.derived.entitlementsByProduct.get(product)) {
    const entitlement = state.tables.entitlement.get(id)!;
    if (!isActive(entitlement, now)) continue;
    let [low, high] = [0, entitlement.claims.borrow?.maxSeconds ?? 0];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (fits(entitlement, { kind: 'borrow', seconds: middle, holdMs, now })) low = middle;
      else high = middle - 1;
    }
    longest = Math.max(longest, low);
  }
  return longest;
}

/** Returns borrows by stops their device signed: at once, or at expiry where the entitlement says so (I8). */
export function returnBorrow(state: State, command: Command<'return'>, context: Context): Decision<'return'> {
  const changes: Change[] = [];
  const returned: { lease: string; freeAtMs: number }[] = [];
  for (const id of new Set(command.leases)) {
    const lease = state.tables.lease.get(id);
    if (lease === undefined) {
      returned.push({ lease: id, freeAtMs: context.now.wallMs });
      continue;
    }
    if (lease.device !== command.by.device || lease.claims.kind !== 'borrow')
      return deny('BORROW_UNKNOWN', undefined, { lease: id });
    const atOnce = state.tables.entitlement.get(lease.claims.ent)!.claims.earlyReturn === 'at-once';
    if (atOnce) changes.push({ type: 'lease.ended', id, reason: 'returned' });
    returned.push({
      lease: id,
      freeAtMs: atOnce ? context.now.wallMs : leaseFreeAtMs(state, lease, context.now),
    });
  }
  return { ok: true, changes, outcome: { returned } };
}
