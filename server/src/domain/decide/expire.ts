import type { Change } from '../changes.js';
import type { Command, Context, Decision } from '../commands.js';
import { isLive } from '../derive.js';
import { noticeAt } from '../end-notices.js';
import type { Due } from '../expiry-queue.js';
import type { State } from '../state.js';
import { dropAllocations } from './allocation.js';
import { afterFreeing, endLingers } from './linger.js';

/** Ends what is due (`takeDue`): windows, borrows, forced releases that were set, kept requests, entitlements. */
export function expire(state: State, command: Command<'expire'>, context: Context): Decision<'expire'> {
  const over = new Set(command.due.flatMap(({ kind, id }) => (kind === 'lease' ? [id] : [])));
  // A lease that ends by itself at the same moment needs no release any more.
  const due = command.due.filter(({ kind, id }) => kind !== 'lease-release' || !over.has(id));
  const decided = due.flatMap((each) => endings[each.kind](state, each, context));
  const changes = afterFreeing(lingersEnd(state, due), decided);
  return { ok: true, changes, outcome: { ended: changes.length } };
}

const endings: { readonly [K in Due['kind']]: (state: State, due: Due, context: Context) => Change[] } = {
  lease: (_state, { id }) => [{ type: 'lease.ended', id, reason: 'expired' }],
  'lease-release': (state, { id }) => {
    const { by, reason } = state.tables.lease.get(id)!.release!;
    return [{ type: 'lease.revoked', id, by, reason }];
  },
  linger: (_state, { id }) => [{ type: 'seat.freed', id, reason: 'expired' }],
  request: (_state, { id }) => [{ type: 'request.dropped', id }],
  'entitlement-start': (_state, { id }) => [{ type: 'entitlement.state', id, state: 'active' }],
  // Those of an older server, or of one that was away for long, are one: the last that is due.
  'entitlement-notice': (state, { id }, { now }) => {
    const { claims, state: is } = state.tables.entitlement.get(id)!;
    const days = noticeAt(claims, now.steadyWallMs);
    const over = claims.exp * 1000 <= now.steadyWallMs;
    return is === 'active' && days !== null && !over ? [{ type: 'entitlement.warned', id, days }] : [];
  },
  mail: (_state, { id }) => [{ type: 'mail.dropped', id }],
  job: (_state, { id }) => [{ type: 'job.dropped', id }],
  'restore-window': () => [{ type: 'restore.windowOver' }],
  reserve: (_state, { id }) => [{ type: 'reserve.ended', id }],
  // A removal that was pending may have come first: the last borrow ends at the same moment.
  'entitlement-end': (state, { id }) =>
    isLive(state.tables.entitlement.get(id)!)
      ? [...dropAllocations(state, id), { type: 'entitlement.state', id, state: 'expired' }]
      : [],
};

/** A pool that becomes smaller lets nothing linger: each of its products once, however many of its entitlements end. */
function lingersEnd(state: State, all: readonly Due[]): Change[] {
  const ends = all.filter(({ kind }) => kind === 'entitlement-end');
  const products = new Set(ends.map(({ id }) => state.tables.entitlement.get(id)!.claims.product));
  return [...products].flatMap((product) => endLingers(state, product, 'pool changed'));
}
