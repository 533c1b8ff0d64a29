import type { Change } from '../changes.js';
import {
  type Command,
  type Context,
  type Decision,
  type Denial,
  deny,
  type SharingChange,
} from '../commands.js';
import type { Product, Seat, State } from '../state.js';
import { withdraw } from './allocation.js';
import { endLingers } from './linger.js';
import { byWhom } from './pool-settings.js';

/**
 * Floating sharing of one product, or of all: off means that shared seats are granted to nobody, neither new nor by joining or lending one
 * that runs. What runs goes on until it is released (`drain`) or is revoked as by a forced release (`cut`); a borrow always goes on (I8).
 */
export function setSharing(
  state: State,
  command: Command<'setSharing'>,
  context: Context,
): Decision<'setSharing'> {
  const { product: only } = command;
  if (only !== null && !state.tables.product.has(only))
    return deny('PRODUCT_UNKNOWN', undefined, { product: only });
  const products = [...state.tables.product.values()]
    .filter(({ product }) => only === null || product === only)
    .sort((a, b) => (a.product < b.product ? -1 : 1));
  const overtaken = changedMeanwhile(products, command);
  if (overtaken !== null) return overtaken;
  const decided = products.map((product) => switchOne(state, product, command, context));
  return {
    ok: true,
    changes: decided.flatMap(({ changes }) => changes),
    outcome: { products: decided.map(({ outcome }) => outcome) },
  };
}

/** Two who switch the same: the second is told what the first has made of it, instead of undoing it unseen. */
function changedMeanwhile(products: readonly Product[], { was = [] }: Command<'setSharing'>): Denial | null {
  const seen = new Map(was.map(({ product, floatingSharing }) => [product, floatingSharing]));
  const other = products.filter(({ product, sharing }) => (seen.get(product) ?? sharing) !== sharing);
  if (other.length === 0) return null;
  const told = other.map(
    ({ product, sharing, sharingChanged }) =>
      `that of ${product} is ${sharing ? 'on' : 'off'}${byWhom(sharingChanged)}`,
  );
  return deny('CHANGED_MEANWHILE', `Floating sharing was switched meanwhile: ${told.join('; ')}.`, {
    now: other.map(({ product, sharing, sharingChanged }) => ({
      product,
      floatingSharing: sharing,
      ...(sharingChanged === undefined ? {} : { changed: sharingChanged }),
    })),
  });
}

function switchOne(
  state: State,
  product: Product,
  { on, running, by }: Command<'setSharing'>,
  { now }: Context,
): { changes: Change[]; outcome: SharingChange } {
  const changed = product.sharing !== on;
  const { sharingChanged: before } = product;
  const switched = { ...product, sharing: on, sharingChanged: { by: by.email, atMs: now.wallMs } };
  const changes: Change[] = changed ? [{ type: 'product.put', product: switched }] : [];
  if (!on) changes.push(...endLingers(state, product.product, 'pool changed', isShared));
  const seats = on ? [] : runningShared(state, product.product);
  const cut = running === 'cut' ? seats.flatMap((seat) => withdraw(state, seat, by.email, reason)) : [];
  const kept = running === 'cut' ? 0 : seats.reduce((sum, { count }) => sum + count, 0);
  return {
    changes: [...changes, ...cut],
    outcome: {
      product: product.product,
      floatingSharing: on,
      changed,
      leasesRevoked: cut.length,
      seatsRunning: kept,
      ...(changed && before !== undefined ? { before } : {}),
    },
  };
}

const reason = 'Floating sharing of this product was switched off.';

/** True when a further lease of a seat may be granted: one of the shared seats only while sharing is on. */
export function isOpenTo(state: State, seat: Seat): boolean {
  return !isShared(seat) || state.tables.product.get(seat.product)!.sharing;
}

function isShared({ allocation }: Seat): boolean {
  return allocation === null;
}

function runningShared(state: State, product: string): Seat[] {
  return [...state.derived.seatsByProduct.get(product)]
    .map((id) => state.tables.seat.get(id)!)
    .filter((seat) => isShared(seat) && state.derived.statusBySeat.get(seat.id) === 'inUse');
}
