import { type Command, type Context, type Decision, deny } from '../commands.js';
import type { State } from '../state.js';
import { borrowedBy, leaseFreeAtMs } from './denial.js';

/** Forced release (DESIGN 3): the right ends now, but the seat is held until the device's signed stop or the end of the window. */
export function revokeLease(
  state: State,
  command: Command<'revokeLease'>,
  context: Context,
): Decision<'revokeLease'> {
  const lease = state.tables.lease.get(command.lease);
  if (lease === undefined)
    return deny('LEASE_UNKNOWN', undefined, { lease: command.lease }, 'See `berth lease list`.');
  const freeAtMs = leaseFreeAtMs(state, lease, context.now);
  // There is no override (I8).
  if (lease.claims.kind === 'borrow') return borrowedBy(lease.email, freeAtMs);
  const outcome = { lease: command.lease, freeAtMs };
  if (lease.state === 'revoked') return { ok: true, changes: [], outcome };
  const change = {
    type: 'lease.revoked',
    id: command.lease,
    by: command.by.email,
    reason: command.reason,
  } as const;
  return { ok: true, changes: [change], outcome };
}
