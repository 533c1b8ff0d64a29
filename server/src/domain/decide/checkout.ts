import { errors, type LeaseClaims } from '@berth/protocol';
import type { Change } from '../changes.js';
import { type Command, type Context, type Decision, type Denial, deny, type Want } from '../commands.js';
import { isWithdrawn } from '../pending.js';
import { isHolding } from '../restore.js';
import { type Device, type Product, type Seat, type State, shareKey } from '../state.js';
import { choose, ENTITLEMENTS_PER_GRANT, fits, type Left, type Term } from './choose.js';
import { canPass, explain } from './denial.js';
import { closed, deviceOf, grantLease, grantSeats } from './grant.js';
import { Kept, lingerKey } from './linger.js';
import { leaving } from './pending.js';
import { isOpenTo } from './sharing.js';

interface Granted {
  readonly changes: readonly Change[];
  readonly leases: readonly LeaseClaims[];
  readonly joined: boolean;
}

/** Who asks, for how long, with which nonce: the same for every product of a bundle. */
interface Asker {
  readonly device: Device;
  readonly nonce: string;
  readonly term: Term;
}

/**
 * Takes seats of every product of a bundle, all or nothing; of each want the first product in its order of preference that has
 * them. A renderer that needs two seats never holds one while the other is denied.
 */
export function checkout(state: State, command: Command<'checkout'>, context: Context): Decision<'checkout'> {
  const refused = closed(state, context);
  if (refused !== null) return refused;
  const device = deviceOf(state, command.by);
  if ('ok' in device) return device;
  const gone = leaving(state, device.email, context.now);
  if (gone !== null) return gone;
  const term: Term = { kind: 'online', seconds: context.leaseSeconds, now: context.now };
  const asker: Asker = { device, nonce: command.nonce, term };
  const granted = new Map<string, Granted>();
  const denials: Denial[] = [];
  for (const want of command.wants) {
    const denial = satisfy(state, want, asker, granted, context);
    if (denial !== null) denials.push(denial);
  }
  if (denials.length > 0) return missing(command.wants, denials);
  const all = [...granted.values()];
  const leases = all.flatMap((each) => each.leases);
  if (leases.length > command.places) return deny('TOO_MANY_LEASES');
  if (new Set(leases.map(({ ent }) => ent)).size > ENTITLEMENTS_PER_GRANT) return deny('TOO_MANY_LEASES');
  return {
    ok: true,
    changes: all.flatMap(({ changes }) => changes),
    outcome: { leases, joined: all.every(({ joined }) => joined) },
  };
}

/** Adds what satisfies one want; else its denial, which names what else was tried. */
function satisfy(
  state: State,
  want: Want,
  asker: Asker,
  granted: Map<string, Granted>,
  context: Context,
): Denial | null {
  const denials: Denial[] = [];
  for (const id of want.products) {
    // Two wants of one bundle never take from the same pool: what the first takes is not in the state yet.
    if (granted.has(id)) continue;
    const result = takeOrJoin(state, id, want.seats, asker, context);
    if (!('ok' in result)) {
      granted.set(id, result);
      return null;
    }
    denials.push(result);
  }
  // The denial that waiting can lift counts, wherever it stands in the order of preference.
  const told = denials.find(canPass) ?? denials[0];
  if (told === undefined)
    return deny('NO_SEAT', 'A product stands twice in the bundle.', { products: want.products });
  const alsoTried = denials.filter((denial) => denial !== told).map(factsOf);
  return alsoTried.length === 0 ? told : { ...told, detail: { ...told.detail, alsoTried } };
}

/** The denial of a whole checkout: of a bundle it names what is missing, first of all what no waiting will bring. */
function missing(wants: readonly Want[], denials: readonly Denial[]): Denial {
  const told = denials.find((denial) => !canPass(denial)) ?? denials[0]!;
  const alsoMissing = denials.filter((denial) => denial !== told).map(factsOf);
  const product = told.detail?.product;
  if (typeof product !== 'string' || wants.every(({ products }) => products.length * wants.length === 1))
    return told;
  const detail = { ...told.detail, ...(alsoMissing.length > 0 ? { alsoMissing } : {}) };
  return { ...told, message: `${product}: ${told.message ?? errors[told.code].text}`, detail };
}

function factsOf({ detail }: Denial): { product: unknown; rule: unknown } {
  return { product: detail?.product, rule: detail?.rule };
}

/**
 * False when it is certain, without looking further, that a checkout is refused: of some want no product has so many seats left, and there
 * is none to join, none kept for it and none set aside. Asked of everybody in line whenever a seat comes free.
 * @param ahead shared seats that are kept for those ahead of it, by product
 */
export function mayBeServed(
  state: State,
  { by, wants }: Command<'checkout'>,
  ahead: ReadonlyMap<string, number>,
  leftOf: (product: string) => Left,
): boolean {
  const device = state.tables.device.get(by.device);
  if (device === undefined) return true;
  return wants.every(({ products, seats }) =>
    products.some((id) => {
      const product = state.tables.product.get(id);
      if (product === undefined) return false;
      const key = lingerKey(product, device.id, device.email);
      if (!product.sharing || state.derived.seatsByShareKey.get(key).size > 0) return true;
      const { free, shared } = leftOf(id);
      if (free < seats) return false;
      return shared - (ahead.get(id) ?? 0) >= seats || hasIdle(state, device.email, id);
    }),
  );
}

/** True when a seat of the product that is allocated to the user is not taken. */
function hasIdle(state: State, email: string, product: string): boolean {
  for (const id of state.derived.allocationsByUser.get(email)) {
    const { entitlement, quantity } = state.tables.allocation.get(id)!;
    const { claims } = state.tables.entitlement.get(entitlement)!;
    if (claims.product === product && quantity > state.derived.usedByAllocation.get(id)) return true;
  }
  return false;
}

/** Joins a seat that the share rule lets this device or user share (DESIGN 5), or takes seats. */
function takeOrJoin(
  state: State,
  id: string,
  seats: number,
  asker: Asker,
  context: Context,
): Granted | Denial {
  const product = state.tables.product.get(id);
  if (product === undefined)
    return deny('NO_PRODUCT', `No entitlement for ${id} is known.`, { product: id, rule: 'NOT_ENTITLED' });
  const { device, term } = asker;
  const joined = join(state, keyOf(product, device), seats, asker, context);
  if (joined !== null) return joined;
  const sharedKept = context.awaited.get(id) ?? 0;
  const kept = new Kept(state, product, device);
  const resumed = kept.resume(seats, asker, context);
  if (resumed !== null) return { ...resumed, joined: true };
  const given = kept.giveUp();
  const wish = { product: id, email: device.email, seats, sharedKept, ignorePending: false, ...term };
  const choice = choose(state, wish, given.taken);
  if (!choice.ok) return explain(state, id, choice.rule, context.now, wish);
  const asked = { product: id, device, shareKey: keyOf(product, device), nonce: asker.nonce, term };
  const { changes, leases } = grantSeats(choice.picks, asked, context);
  return { changes: [...given.changes, ...changes], leases, joined: false };
}

function keyOf({ share, product }: Product, device: Device): string | null {
  return shareKey(share, product, device.id, device.email);
}

/** Joins a group of seats with the same share key if no more is asked than it has; `null` when there is none. */
function join(
  state: State,
  key: string | null,
  seats: number,
  asker: Asker,
  context: Context,
): Granted | null {
  if (key === null) return null;
  const group = openGroups(state, key, asker.term).find((each) => sizeOf(each) >= seats);
  if (group === undefined) return null;
  const [changes, leases]: [Change[], LeaseClaims[]] = [[], []];
  let left = seats;
  for (const seat of group) {
    if (left === 0) break;
    const n = Math.min(seat.count, left);
    // A seat in use may have gone over to an entitlement that has not begun (choose.ts, successors).
    const fromSeconds = state.tables.entitlement.get(seat.entitlement)!.claims.nbf;
    const { change, claims } = grantLease(seat, n, { ...asker, fromSeconds }, context);
    changes.push(change);
    leases.push(claims);
    left -= n;
  }
  return { changes, leases, joined: true };
}

function sizeOf(seats: readonly Seat[]): number {
  return seats.reduce((sum, seat) => sum + seat.count, 0);
}

/** Groups of seats with this share key that can be joined: all still in use, in entitlements a new lease fits into. */
function openGroups(state: State, key: string, term: Term): Seat[][] {
  const groups = new Map<string, Seat[]>();
  // I9: a seat that a backup knew may have been given back since, and be somebody else's.
  if (isHolding(state)) return [];
  for (const id of state.derived.seatsByShareKey.get(key)) {
    const seat = state.tables.seat.get(id)!;
    const { entitlement, allocation } = seat;
    const joinable =
      state.derived.statusBySeat.get(id) !== 'held' &&
      seat.earlier !== 'unseen' &&
      !isWithdrawn(state, entitlement, allocation) &&
      isOpenTo(state, seat);
    if (!joinable || !fits(state.tables.entitlement.get(seat.entitlement)!, term)) continue;
    groups.set(seat.group, [...(groups.get(seat.group) ?? []), seat]);
  }
  return [...groups.values()];
}
