import type { Change } from '../changes.js';
import type { Command, Context, Decision } from '../commands.js';
import type { PendingKind } from '../derived.js';
import { ripe, ripeSeats } from '../pending.js';
import type { Now, State } from '../state.js';
import { shrink } from './allocation.js';
import { freedOnce } from './linger.js';
import { entitlementGone } from './remove-entitlement.js';
import { userGone } from './user.js';

/**
 * Carries out what was pending and waits for no borrow any more (I8). The engine asks for it in the same turn as the change that ended
 * the borrow, so in the same commit, and again until nothing is left: a user can go only once the allocations have gone.
 */
export function settlePending(
  state: State,
  _command: Command<'settlePending'>,
  context: Context,
): Decision<'settlePending'> {
  const all = [...ripe(state)];
  // One kind at a time: what ends with one of them must not be ended twice.
  const now = all.filter(({ kind }) => kind === all[0]!.kind);
  const changes = freedOnce(now.flatMap(({ kind, id }) => settlements[kind](state, id, context.now)));
  return { ok: true, changes, outcome: { settled: now.length } };
}

const settlements: { readonly [K in PendingKind]: (state: State, id: string, now: Now) => Change[] } = {
  allocation: (state, id) => {
    const allocation = state.tables.allocation.get(id)!;
    const { seats, ...pending } = allocation.revoking!;
    const taken = ripeSeats(state, id);
    const left = seats - taken;
    return shrink(state, allocation, {
      quantity: allocation.quantity - taken,
      revoking: left > 0 ? { ...pending, seats: left } : null,
      by: pending.by,
    });
  },
  user: (state, email, now) => userGone(state, email, state.tables.user.get(email)!.removing!.by, now),
  entitlement: (state, id) => entitlementGone(state, id, state.tables.entitlement.get(id)!.removing!.by),
};
