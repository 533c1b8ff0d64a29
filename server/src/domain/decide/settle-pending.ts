import type { Change } from '../changes.js';
import type { Command, Context, Decision } from '../commands.js';
import type { PendingKind } from '../derived.js';
import { ripe, ripeSeats } from '../pending.js';
import type { Now, State } from '../state.js';
import { shrink } from './allocation.js';
import { freedOnce } from './linger.js';
import { entitlementGone } from './remove-entitlement.js';
import { usersGone } from './user.js';

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
  const [first] = all;
  if (first === undefined) return { ok: true, changes: [], outcome: { settled: 0 } };
  const ids = all.filter(({ kind }) => kind === first.kind).map(({ id }) => id);
  const changes = freedOnce(settlements[first.kind](state, ids, context.now));
  return { ok: true, changes, outcome: { settled: ids.length } };
}

type Settle = (state: State, ids: readonly string[], now: Now) => Change[];

const settlements: { readonly [K in PendingKind]: Settle } = {
  allocation: (state, ids) => ids.flatMap((id) => allocationShrunk(state, id)),
  user: (state, emails, now) => {
    const gone = emails.map((email) => ({ email, by: state.tables.user.get(email)!.removing!.by }));
    return usersGone(state, gone, now);
  },
  entitlement: (state, ids) =>
    ids.flatMap((id) => entitlementGone(state, id, state.tables.entitlement.get(id)!.removing!.by)),
};

function allocationShrunk(state: State, id: string): Change[] {
  const allocation = state.tables.allocation.get(id)!;
  const { seats, ...pending } = allocation.revoking!;
  const taken = ripeSeats(state, id);
  const left = seats - taken;
  return shrink(state, allocation, {
    quantity: allocation.quantity - taken,
    revoking: left > 0 ? { ...pending, seats: left } : null,
    by: pending.by,
  });
}
