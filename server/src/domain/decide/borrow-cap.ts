import type { Context, Denial } from '../commands.js';
import { borrowedSeats } from '../pending.js';
import { settingsOf } from '../pool-settings.js';
import type { Product, State } from '../state.js';
import { explain } from './denial.js';

/**
 * Why a borrow would go beyond what an admin allows of the product, or to one user; `null` when it does not. Lowering a cap takes nothing away:
 * what is borrowed stays until it ends. Within the cap an extension takes no further seat and is always allowed; beyond it, it is refused, or a
 * borrow that extends itself would keep the cap from ever holding.
 * @param added seats that are not borrowed yet; 0: an extension
 */
export function beyondCap(
  state: State,
  product: Product,
  email: string,
  added: number,
  { now }: Context,
): Denial | null {
  const { borrowSeatsMax, borrowSeatsPerUserMax } = settingsOf(product);
  const id = product.product;
  const all = state.derived.byStatus.get(`${id} borrowed`);
  if (borrowSeatsMax !== null && all + added > borrowSeatsMax) {
    const denial = explain(state, id, 'BORROW_CAP_PRODUCT', now);
    return { ...denial, detail: { ...denial.detail, borrowed: all, cap: borrowSeatsMax } };
  }
  if (borrowSeatsPerUserMax === null) return null;
  const own = borrowedSeats(state, state.derived.seatsByUser.get(email))
    .filter((seat) => seat.product === id)
    .reduce((sum, { count }) => sum + count, 0);
  if (own + added <= borrowSeatsPerUserMax) return null;
  const denial = explain(state, id, 'BORROW_CAP_USER', now);
  return { ...denial, detail: { ...denial.detail, borrowed: own, cap: borrowSeatsPerUserMax } };
}
