import {
  type DenialRule,
  type ErrorCode,
  errors,
  formatDay,
  type Holder,
  limits,
  rules,
} from '@berth/protocol';
import { type Denial, deny } from '../commands.js';
import { borrowEndsMs } from '../evolve.js';
import { holderName, machineBehind } from '../machines.js';
import { borrowedSeats, borrowsEndMs, isWithdrawn } from '../pending.js';
import { activeEntitlements } from '../pools.js';
import { isHolding, isIncomplete, unknownSeatsOf } from '../restore.js';
import { allocationId, type Lease, type Now, type Seat, type State } from '../state.js';
import { seatsInReach, type Wish } from './choose.js';
import { shellWord } from './shell-word.js';

/** How many seats are looked at to find the next free one: a denial must not cost more in a larger pool. */
const SEATS_EXAMINED = 256;

const codes: { readonly [R in DenialRule]: ErrorCode } = {
  ALL_IN_USE: 'NO_SEAT',
  ALLOCATED_TO_OTHERS: 'NO_SEAT',
  SHARING_OFF: 'NO_SEAT',
  OTHERS_WAIT: 'NO_SEAT',
  LINE_FULL: 'NO_SEAT',
  MORE_THAN_OWNED: 'NO_SEAT',
  SHRUNK: 'NO_SEAT',
  ENTITLEMENT_ENDS: 'NO_SEAT',
  REVOKE_PENDING: 'NO_SEAT',
  RESTORED: 'NO_SEAT',
  NOT_ENTITLED: 'NO_PRODUCT',
  BORROW_SEATS: 'BORROW_LIMIT',
  BORROW_CAP_PRODUCT: 'BORROW_LIMIT',
  BORROW_CAP_USER: 'BORROW_LIMIT',
  BORROW_FORBIDDEN: 'BORROW_NOT_ALLOWED',
  BORROW_LENGTH: 'BORROW_TOO_LONG',
};

/** Passing states of the server itself: whoever can wait waits until they are over. */
export const passing: ReadonlySet<ErrorCode> = new Set(['DISK_LOW', 'CLOCK_BEHIND']);

/**
 * An explained refusal: which rule, who holds what, and the latest moment at which the next seat is free if nobody renews; no moment where that
 * seat could not be theirs.
 * @param wish for whom, and how many; left out: whoever it is
 */
export function explain(
  state: State,
  product: string,
  rule: DenialRule,
  now: Now,
  wish?: Pick<Wish, 'email' | 'seats'>,
): Denial {
  const order = freeingOrder(state, product, now);
  const untilMs =
    rule === 'RESTORED' && !isIncomplete(state, product)
      ? restoreEndsMs(state, product, now)
      : rule === 'REVOKE_PENDING'
        ? pendingEndsMs(state, product, now)
        : undefined;
  const isVain = vain.has(rule) || (wish !== undefined && isOutOfReach(state, product, rule, now, wish));
  const detail = {
    rule,
    product,
    holders: order.slice(0, limits.holdersNamed).map((freeing) => holderOf(state, freeing)),
    nextFreeAtMs: isVain ? null : firstFreeAtMs(state, product, order, now),
    ...(untilMs === undefined ? {} : { untilMs }),
  };
  const isMissing = rule === 'RESTORED' && isIncomplete(state, product);
  const comesFirst =
    !isVain && rule === 'ALL_IN_USE' && wish !== undefined && hasSetAside(state, product, now, wish);
  const next = isVain
    ? (otherwise(state, product, now) ?? nextSteps[rule] ?? vainly[codes[rule]])
    : comesFirst
      ? setAside(wish.seats)
      : nextSteps[rule];
  return deny(codes[rule], rules[rule], detail, isMissing ? importFirst : next);
}

/** Rules that no seat's coming free lifts: somebody has to decide something else. */
const vain: ReadonlySet<DenialRule> = new Set<DenialRule>([
  'MORE_THAN_OWNED',
  'SHARING_OFF',
  'NOT_ENTITLED',
  'BORROW_FORBIDDEN',
  'BORROW_LENGTH',
]);

/** True when those who hold the seats have them set aside: whoever asks gets none of them, whenever they come free. */
function isOutOfReach(
  state: State,
  product: string,
  rule: DenialRule,
  now: Now,
  { email, seats }: Pick<Wish, 'email' | 'seats'>,
): boolean {
  if (rule !== 'ALL_IN_USE' && rule !== 'ALLOCATED_TO_OTHERS') return false;
  return seatsInReach(state, product, email, now) < seats;
}

/** By code: where to wait, which is its own next step, would be vain. */
const vainly: Partial<Record<ErrorCode, string>> = { NO_SEAT: 'Ask an admin for an allocation.' };

/** Where no admin can help: nothing has begun, or every seat is its holder's. */
function otherwise(state: State, product: string, now: Now): string | undefined {
  const active = activeEntitlements(state, product, now);
  if (active.length > 0)
    return active.every(({ claims }) => claims.holder !== undefined)
      ? 'Every seat is personal, of the holder that the vendor named: ask the vendor for one.'
      : undefined;
  const begins = [...state.derived.entitlementsByProduct.get(product)]
    .map((id) => state.tables.entitlement.get(id)!)
    .filter((one) => one.state === 'future' && one.claims.nbf * 1000 > now.wallMs)
    .map(({ claims }) => claims.nbf * 1000);
  return begins.length === 0 ? undefined : `Wait: its seats begin on ${formatDay(Math.min(...begins))}.`;
}

/** The same by rule. */
const nextSteps: Partial<Record<DenialRule, string>> = {
  MORE_THAN_OWNED: 'Ask for fewer seats, or ask an admin to get more.',
  SHARING_OFF: 'Ask an admin for an allocation.',
  RESTORED:
    'Wait, or ask an admin: `berth restore show` says until when, and `berth restore accept` ends it where nothing is out any more.',
};

/** True when what is asked for is set aside for them already, and somebody else still has the seats. */
function hasSetAside(
  state: State,
  product: string,
  now: Now,
  { email, seats }: Pick<Wish, 'email' | 'seats'>,
): boolean {
  let unused = 0;
  for (const { claims } of activeEntitlements(state, product, now)) {
    const id = allocationId(email, claims.jti);
    const row = state.tables.allocation.get(id);
    if (row !== undefined && row.revoking === undefined)
      unused += row.quantity - state.derived.usedByAllocation.get(id);
  }
  return unused >= seats;
}

const setAside = (seats: number): string =>
  `Wait (\`--wait 10m\`), or ask one of the holders: ${seats === 1 ? 'a seat is' : 'the seats are'} set aside for you.`;

const importFirst =
  'Ask an admin to import again what was imported after the backup: `berth restore show` names it.';

/** @param called an e-mail address; or a login name that leads to nobody: it was asked for in case it was a retry */
export function userUnknown(state: State, called: string): Denial {
  if (!called.includes('@')) return nobodyCalled(called);
  const former = state.tables.formerUser.get(called);
  if (former === undefined) return deny('USER_UNKNOWN', undefined, { email: called });
  const { by, atMs } = former.removed;
  const text = `${called} was removed on ${formatDay(atMs)} by ${by}.`;
  const next = `To let them in again: berth user invite ${shellWord(called)}`;
  return deny('USER_UNKNOWN', text, { email: called, removed: { by, atMs } }, next);
}

export function nobodyCalled(text: string): Denial {
  const message = `"${text.slice(0, 60)}" is neither an e-mail address nor a login name of a user.`;
  return deny('EMAIL_INVALID', message, { email: text });
}

/** True for a refusal that somebody else's leaving can lift: it is worth waiting. */
export function canPass({ code, detail }: Denial): boolean {
  return code === 'NO_SEAT' && detail?.rule !== undefined && !lasting.has(detail.rule);
}

const lasting: ReadonlySet<unknown> = new Set<DenialRule>(['MORE_THAN_OWNED', 'SHARING_OFF']);

/** The latest moment at which the next seat of a product is free if nobody renews, by the wall clock; `null`: nobody holds one, and none is kept back. */
export function nextFreeAtMs(state: State, product: string, now: Now): number | null {
  return firstFreeAtMs(state, product, freeingOrder(state, product, now), now);
}

function firstFreeAtMs(state: State, product: string, [first]: readonly Freeing[], now: Now): number | null {
  if (isIncomplete(state, product)) return null;
  if (isHolding(state)) return restoreEndsMs(state, product, now);
  if (unknownSeatsOf(state, product) === 0) return first?.untilMs ?? null;
  return Math.min(first?.untilMs ?? Number.POSITIVE_INFINITY, restoreEndsMs(state, product, now));
}

/** When the last pending revoke of seats of a product has taken effect. */
function pendingEndsMs(state: State, product: string, now: Now): number {
  const ids = [...state.derived.seatsByProduct.get(product)].slice(0, SEATS_EXAMINED);
  const waitedFor = borrowedSeats(state, ids).filter(({ entitlement, allocation }) =>
    isWithdrawn(state, entitlement, allocation),
  );
  return borrowsEndMs(state, waitedFor, now);
}

/** When the next seat of a product is not kept back any more for those of before a restore (I9): what cannot be borrowed by the end of the hold, the rest later. */
function restoreEndsMs(state: State, product: string, now: Now): number {
  const keptBack = (id: string): number => state.tables.reserve.get(id)?.seats ?? 0;
  const hasOthers = activeEntitlements(state, product, now).some(
    ({ claims }) => claims.seats > keptBack(claims.jti),
  );
  const ends = [...state.derived.reservesByProduct.get(product)].map(
    (id) => state.tables.reserve.get(id)!.untilMs,
  );
  const { wallMs, monoMs } = now;
  const first = ends.length === 0 ? wallMs : Math.min(...ends);
  if (!isHolding(state)) return first;
  const online = wallMs + Math.max(0, (state.restoreEndsMs.get('self') ?? monoMs) - monoMs);
  return hasOthers ? online : Math.max(online, first);
}

interface Freeing {
  readonly seat: Seat;
  /** When it is free if nothing is renewed, by the wall clock. */
  readonly untilMs: number;
}

/** Seats of a product that somebody has, the one that can be free first in front. Who has them is said of a few alone: that costs more. */
function freeingOrder(state: State, product: string, now: Now): Freeing[] {
  const order: Freeing[] = [];
  for (const id of state.derived.seatsByProduct.get(product)) {
    if (order.length === SEATS_EXAMINED) break;
    order.push({ seat: state.tables.seat.get(id)!, untilMs: seatFreeAtMs(state, id, now) });
  }
  return order.sort((a, b) => a.untilMs - b.untilMs);
}

const kinds = { inUse: 'online', borrowed: 'borrow', held: 'held' } as const;

function holderOf(state: State, { seat, untilMs }: Freeing): Holder {
  return {
    user: holderName(state, seat.email, seat.device),
    device: state.tables.device.get(seat.device)?.name ?? seat.device,
    seats: seat.count,
    kind: kinds[state.derived.statusBySeat.get(seat.id) ?? 'held'],
    sinceMs: seat.takenAtMs,
    untilMs,
  };
}

/** When a seat is free if nothing is renewed, by the wall clock: the last of its leases, or the end of its lingering. */
export function seatFreeAtMs(state: State, seatId: string, now: Now): number {
  const lingersMs = state.lingerEndsMs.get(seatId) ?? now.monoMs;
  let latest = now.wallMs + Math.max(0, lingersMs - now.monoMs);
  for (const id of state.derived.leasesBySeat.get(seatId)) {
    latest = Math.max(latest, leaseFreeAtMs(state, state.tables.lease.get(id)!, now));
  }
  return latest;
}

export function leaseFreeAtMs(state: State, lease: Lease, now: Now): number {
  if (lease.claims.kind === 'borrow') return borrowEndsMs(lease);
  const endsMs = state.windowEndsMs.get(lease.claims.jti) ?? now.monoMs;
  return now.wallMs + Math.max(0, endsMs - now.monoMs);
}

/** The same where what was asked for can be left pending (I8). */
export function pendingInstead(denial: Denial): Denial {
  const next = denial.next ?? errors.BORROWED.next;
  return {
    ...denial,
    next: `${next} Or ask for it with --pending: then it takes effect by itself at that moment.`,
  };
}

/** The offline block: of a user in the words of PRODUCT.md; a machine is nobody that could be asked. */
export function borrowedBy(state: State, email: string, untilMs: number): Denial {
  const device = machineBehind(state, email);
  if (device !== undefined) {
    return deny(
      'BORROWED',
      `The machine ${device.name} has borrowed licenses for offline use. The borrowing period should first expire, or the machine should return them.`,
      { machine: device.id, name: device.name, untilMs },
      'Wait for the end of the borrow, or return it on that machine: `berth borrow return`.',
    );
  }
  return deny(
    'BORROWED',
    `The source user ${email} has borrowed licenses for offline use. To reallocate them, the borrowing period should first expire or the user should release them for offline use.`,
    { email, untilMs },
  );
}
