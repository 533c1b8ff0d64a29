import type { Change } from '../changes.js';
import type { Command, Context, Decision } from '../commands.js';
import type { Due } from '../expiry-queue.js';
import type { State } from '../state.js';
import { dropAllocations } from './allocation.js';

/** Ends what is due (`takeDue`): windows, borrows, kept requests, entitlements. */
export function expire(state: State, command: Command<'expire'>, _context: Context): Decision<'expire'> {
  const changes = command.due.flatMap((due) => endings[due.kind](state, due));
  return { ok: true, changes, outcome: { ended: changes.length } };
}

const endings: { readonly [K in Due['kind']]: (state: State, due: Due) => Change[] } = {
  lease: (_state, { id }) => [{ type: 'lease.ended', id, reason: 'expired' }],
  request: (_state, { id }) => [{ type: 'request.dropped', id }],
  'entitlement-start': (_state, { id }) => [{ type: 'entitlement.state', id, state: 'active' }],
  'entitlement-end': (state, { id }) => [
    ...dropAllocations(state, id),
    { type: 'entitlement.state', id, state: 'expired' },
  ],
};
