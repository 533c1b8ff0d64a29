import type { Change, ChangeType } from './changes.js';
import type { State } from './state.js';

/** Changes of what no renewal looks at. One that is not named here touches everything, until somebody has thought about it. */
const unseen: ReadonlySet<ChangeType> = new Set<ChangeType>([
  'clock.seen',
  'user.put',
  'former.kept',
  'former.dropped',
  'invitation.made',
  'invitation.dropped',
  'device.enrolled',
  'allocation.set',
  'lease.messaged',
  'session.superseded',
  'request.kept',
  'request.dropped',
  'mail.queued',
  'mail.tried',
  'mail.sent',
  'mail.deferred',
  'mail.failed',
  'mail.cancelled',
  'mail.retried',
  'mail.gathered',
  'mail.dropped',
  'job.made',
  'job.row',
  'job.ended',
  'job.dropped',
  'credit.access',
  'credit.spent',
  'credit.asked',
  'credit.answered',
  'journal.checkpoint',
]);

/**
 * The rows (leases, seats, entitlements, by id) of which an answer may tell another thing after the change than before it; `null`: any
 * row. It is what an answer that says what it saw does not have to wait for (decision 0004). Call it before the change is applied.
 */
export function touched(state: State, change: Change): readonly string[] | null {
  if (unseen.has(change.type)) return [];
  switch (change.type) {
    case 'seat.taken': {
      const { id, entitlement, count } = change.seat;
      return [id, ...crowded(state, entitlement, count)];
    }
    // It goes to the end of the line of those that may go on.
    case 'seat.resumed':
    case 'seat.freed':
      return ofSeat(state, change.id);
    case 'lease.granted':
      return [change.lease.claims.jti, change.lease.claims.seat];
    case 'lease.ended':
    case 'lease.revoked':
    case 'lease.warned':
    case 'lease.kept': {
      const lease = state.tables.lease.get(change.id);
      return lease === undefined ? null : [change.id, ...ofSeat(state, lease.claims.seat)];
    }
    default:
      return null;
  }
}

function ofSeat(state: State, id: string): readonly string[] {
  const seat = state.tables.seat.get(id);
  return seat === undefined ? [id] : [id, ...crowded(state, seat.entitlement, 0)];
}

/** Which seats of an entitlement may go on depends on the others only while it has fewer than are in use: it shrank (DESIGN 4). */
function crowded(state: State, entitlement: string, more: number): readonly string[] {
  const seats = state.tables.entitlement.get(entitlement)?.claims.seats ?? 0;
  return state.derived.usedByEntitlement.get(entitlement) + more > seats ? [entitlement] : [];
}
