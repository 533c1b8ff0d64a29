import { borrowFreeAtMs, type DenialRule, onlineWindowMs } from '@berth/protocol';
import { activeEntitlements, isActive, usageOf } from '../pools.js';
import { isHolding, isIncomplete, unknownSeats } from '../restore.js';
import { allocationId, type Entitlement, type Now, type State } from '../state.js';
import { Tally } from '../table.js';

/** What kind of lease, from when, for how long: D of an online lease, or the length of a borrow. */
export interface Term {
  readonly kind: 'online' | 'borrow';
  readonly seconds: number;
  readonly now: Now;
  /** Of a borrow: how much longer than its window says the seat is held. */
  readonly holdMs?: number;
}

/** What is asked of a pool: seats for one user. */
export interface Wish extends Term {
  readonly product: string;
  readonly email: string;
  readonly seats: number;
  /** So many shared seats are for those who have waited longer. The user's own allocations are not concerned. */
  readonly sharedKept?: number;
  /** True: as if no revoke or removal were pending, to find out whether that is what stands in the way. */
  readonly ignorePending?: boolean;
  /** The seat is in use already and only moves: floating sharing that is off lets it go on. */
  readonly running?: boolean;
}

/** Seats to take from one entitlement, charged to an allocation or (`null`) to the shared seats. */
export interface Pick {
  readonly entitlement: Entitlement;
  readonly allocation: string | null;
  readonly count: number;
}

export type Choice =
  | { readonly ok: true; readonly picks: readonly Pick[] }
  | { readonly ok: false; readonly rule: DenialRule };

/**
 * Chooses seats, all or nothing: the user's allocations before the shared seats.
 * @param givenUp seats that the same command frees first, counted below zero
 */
export function choose(state: State, wish: Wish, givenUp = new Taken()): Choice {
  const usage = usageOf(state, wish.product, wish.now);
  const active = activeEntitlements(state, wish.product, wish.now);
  if (active.length === 0) return { ok: false, rule: 'NOT_ENTITLED' };
  if (wish.seats > usage.owned) return { ok: false, rule: 'MORE_THAN_OWNED' };
  // I9: whatever is given up for it may have been somebody else's since.
  if (isHolding(state) || isIncomplete(state, wish.product)) return { ok: false, rule: 'RESTORED' };
  const lasting = active.filter((entitlement) => fits(entitlement, wish));
  const picks = pick(state, lasting, wish, givenUp);
  // I1: whatever single entitlements would allow, a product never has more seats out than it owns.
  const out = usage.taken + usage.unknown;
  if (picks !== null && out + givenUp.seats + wish.seats <= usage.owned) return { ok: true, picks };
  return { ok: false, rule: ruleOf(state, active, lasting, wish) };
}

/**
 * Another entitlement with room for a whole seat that is already taken.
 * @param taken what earlier moves of the same command took: they are not in the state yet. The move is added to it.
 */
export function relocate(state: State, wish: Wish, from: string, taken: Taken): Pick | null {
  const active = activeEntitlements(state, wish.product, wish.now);
  const others = [...active.filter(({ claims }) => claims.jti !== from), ...successors(state, wish, from)];
  // I1: what is not on the old entitlement must fit in what is owned without it, seats held on ended ones included.
  const owned = others.reduce((sum, { claims }) => sum + claims.seats, 0);
  const usage = usageOf(state, wish.product, wish.now);
  const used = usage.taken + usage.unknown - state.derived.usedByEntitlement.get(from);
  if (used + taken.seats + wish.seats > owned) return null;
  for (const other of others) {
    const picks = fits(other, wish) ? pick(state, [other], { ...wish, running: true }, taken) : null;
    if (picks?.length !== 1) continue;
    taken.add(picks[0]!);
    return picks[0]!;
  }
  return null;
}

/**
 * Entitlements that have not begun, but do so when the one that carries the seat ends: within one window, so that a seat in use goes
 * over without a gap. What is charged to them early is covered by the old one, which is still owned and grants nothing more (I1).
 */
function successors(state: State, wish: Wish, from: string): Entitlement[] {
  const old = state.tables.entitlement.get(from);
  if (old === undefined || !isActive(old, wish.now) || fits(old, wish)) return [];
  return [...state.derived.entitlementsByProduct.get(wish.product)]
    .map((id) => state.tables.entitlement.get(id)!)
    .filter((one) => beginsSoon(one, wish) && one.claims.nbf <= old.claims.exp);
}

/** True when it begins within one window from now: a lease of it that is signed now counts from then (PROTOCOL 7.6). */
export function beginsSoon({ claims, state }: Entitlement, { seconds, now }: Term): boolean {
  const startMs = claims.nbf * 1000;
  const windowMs = onlineWindowMs(seconds * 1000);
  const soon = now.wallMs < startMs && startMs <= now.wallMs + windowMs;
  return state === 'future' && soon && startMs + windowMs <= claims.exp * 1000;
}

/** Seats chosen by a decision that are not in the state yet. */
export class Taken {
  readonly #byEntitlement = new Tally();
  readonly #bySource = new Tally();
  seats = 0;

  add({ entitlement, allocation, count }: Pick): void {
    this.#byEntitlement.add(entitlement.claims.jti, count);
    this.#bySource.add(allocation ?? entitlement.claims.jti, count);
    this.seats += count;
  }

  of(entitlement: Entitlement): number {
    return this.#byEntitlement.get(entitlement.claims.jti);
  }

  /** @param allocation `null`: of the shared seats. */
  from(entitlement: Entitlement, allocation: string | null): number {
    return this.#bySource.get(allocation ?? entitlement.claims.jti);
  }
}

/** True when a lease granted now would end inside the entitlement, hold included (DESIGN 4), and may be of this kind. */
export function fits(entitlement: Entitlement, wish: Term): boolean {
  const { claims } = entitlement;
  const endMs = claims.exp * 1000;
  if (wish.kind === 'online') return wish.now.wallMs + onlineWindowMs(wish.seconds * 1000) <= endMs;
  if (claims.borrow === undefined || wish.seconds > claims.borrow.maxSeconds) return false;
  const issuedAtMs = Math.floor(wish.now.wallMs / 1000) * 1000;
  return borrowFreeAtMs(issuedAtMs, issuedAtMs + wish.seconds * 1000) + (wish.holdMs ?? 0) <= endMs;
}

function pick(
  state: State,
  entitlements: readonly Entitlement[],
  wish: Wish,
  before = new Taken(),
): Pick[] | null {
  const picks: Pick[] = [];
  const own = new Taken();
  const take = (entitlement: Entitlement, allocation: string | null, available: number): void => {
    const room = roomIn(state, entitlement, wish.kind, before) - own.of(entitlement);
    const count = Math.min(wish.seats - own.seats, available, room);
    if (count <= 0) return;
    const chosen = { entitlement, allocation, count };
    picks.push(chosen);
    own.add(chosen);
  };
  const granting = entitlements.filter(
    ({ removing }) => removing === undefined || wish.ignorePending === true,
  );
  for (const entitlement of granting) {
    const id = allocationId(wish.email, entitlement.claims.jti);
    const { quantity = 0, revoking } = state.tables.allocation.get(id) ?? {};
    if (revoking !== undefined && wish.ignorePending !== true) continue;
    take(entitlement, id, quantity - state.derived.usedByAllocation.get(id) - before.from(entitlement, id));
  }
  if (wish.running === true || state.tables.product.get(wish.product)!.sharing) {
    const shared = (entitlement: Entitlement): number =>
      sharedFree(state, entitlement) - before.from(entitlement, null);
    const free = (entitlement: Entitlement): number =>
      Math.min(shared(entitlement), roomIn(state, entitlement, wish.kind, before) - own.of(entitlement));
    const allFree = granting.reduce((sum, entitlement) => sum + Math.max(0, free(entitlement)), 0);
    const most = own.seats + allFree - (wish.sharedKept ?? 0);
    for (const entitlement of inSharedOrder(granting, wish))
      take(entitlement, null, Math.min(shared(entitlement), most - own.seats));
  }
  return own.seats === wish.seats && picks.length <= ENTITLEMENTS_PER_GRANT ? picks : null;
}

/** A grant brings its entitlements along, of up to 4 KiB each: with more of them the answer would not fit its frame. */
export const ENTITLEMENTS_PER_GRANT = 32;

/** An online lease takes a seat that cannot be borrowed first, so that borrowable ones stay for those who travel. */
function inSharedOrder(entitlements: readonly Entitlement[], wish: Wish): readonly Entitlement[] {
  if (wish.kind === 'borrow') return entitlements;
  const borrowable = (entitlement: Entitlement): number => (entitlement.claims.borrow === undefined ? 0 : 1);
  return [...entitlements].sort((a, b) => borrowable(a) - borrowable(b));
}

/** Seats of an entitlement nobody has in hand; for a borrow also within its limit of borrowed seats. */
function roomIn(state: State, entitlement: Entitlement, kind: Term['kind'], before: Taken): number {
  const { jti, seats, borrow } = entitlement.claims;
  const room = seats - state.derived.usedByEntitlement.get(jti) - before.of(entitlement);
  const left = room - unknownSeats(state, jti);
  if (kind === 'online') return left;
  // I9: as many as it allows may be borrowed already.
  if (state.tables.reserve.has(jti)) return 0;
  return Math.min(left, (borrow?.seats ?? 0) - state.derived.borrowedByEntitlement.get(jti));
}

/** What a pool has left for online leases. */
export interface Left {
  /** Owned and not taken, whoever may use them. */
  readonly free: number;
  /** Shared ones of entitlements with room. */
  readonly shared: number;
}

export function leftIn(state: State, product: string, now: Now): Left {
  let [owned, shared] = [0, 0];
  for (const entitlement of activeEntitlements(state, product, now)) {
    owned += entitlement.claims.seats;
    const room = roomIn(state, entitlement, 'online', new Taken());
    shared += Math.max(0, Math.min(sharedFree(state, entitlement), room));
  }
  const { taken, unknown } = usageOf(state, product, now);
  return { free: owned - taken - unknown, shared };
}

export function sharedFree(state: State, entitlement: Entitlement): number {
  const { jti, seats } = entitlement.claims;
  return seats - state.derived.allocated.get(jti) - state.derived.sharedUsed.get(jti);
}

/** Which rule stood in the way: the first that, if it were lifted, would change the answer. */
function ruleOf(
  state: State,
  active: readonly Entitlement[],
  lasting: readonly Entitlement[],
  wish: Wish,
): DenialRule {
  const usage = usageOf(state, wish.product, wish.now);
  if (wish.kind === 'borrow') {
    const lendable = active.filter(({ claims }) => claims.borrow !== undefined);
    if (lendable.length === 0) return 'BORROW_FORBIDDEN';
    if (lasting.length === 0) return 'BORROW_LENGTH';
    const unlent = lasting.reduce(
      (sum, { claims }) => sum + claims.borrow!.seats - state.derived.borrowedByEntitlement.get(claims.jti),
      0,
    );
    if (unlent < wish.seats) return 'BORROW_SEATS';
    if (lasting.some(({ claims }) => state.tables.reserve.has(claims.jti))) return 'RESTORED';
  } else if (pick(state, active, wish) !== null && lasting.length < active.length) {
    return usage.taken + wish.seats > usage.owned ? 'ALL_IN_USE' : 'ENTITLEMENT_ENDS';
  }
  const { sharing } = state.tables.product.get(wish.product)!;
  // Nobody's leaving helps whoever has too little set aside while nothing is shared.
  if (!sharing && allocatedTo(state, active, wish.email) < wish.seats) return 'SHARING_OFF';
  if (usage.over > 0) return 'SHRUNK';
  if (usage.free < wish.seats && usage.free + usage.keptBack >= wish.seats) return 'RESTORED';
  if (pick(state, lasting, { ...wish, ignorePending: true }) !== null && usage.free >= wish.seats)
    return 'REVOKE_PENDING';
  const unkept = wish.sharedKept ? pick(state, lasting, { ...wish, sharedKept: 0 }) : null;
  if (unkept !== null && usage.used + wish.seats <= usage.owned) return 'OTHERS_WAIT';
  if (usage.free < wish.seats || !sharing) return 'ALL_IN_USE';
  return 'ALLOCATED_TO_OTHERS';
}

/** The most seats of a product that somebody could have as things are set and decided, if nobody else had any. */
export function seatsInReach(state: State, product: string, email: string, now: Now): number {
  const active = activeEntitlements(state, product, now).filter(({ removing }) => removing === undefined);
  const own = allocatedTo(state, active, email);
  if (!state.tables.product.get(product)!.sharing) return own;
  return active.reduce((sum, { claims }) => sum + sharedLater(state, claims, email), own);
}

/** Shared seats of an entitlement once what is pending has taken effect. */
function sharedLater(state: State, { jti, seats }: Entitlement['claims'], email: string): number {
  let later = seats - state.derived.allocated.get(jti);
  for (const id of state.derived.allocationsByEntitlement.get(jti)) {
    const row = state.tables.allocation.get(id)!;
    if (row.email !== email) later += row.revoking?.seats ?? 0;
  }
  return later;
}

function allocatedTo(state: State, active: readonly Entitlement[], email: string): number {
  const quantity = (id: string): number =>
    state.tables.allocation.get(allocationId(email, id))?.quantity ?? 0;
  return active.reduce((sum, { claims }) => sum + quantity(claims.jti), 0);
}
