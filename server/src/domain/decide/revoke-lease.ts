import { type Command, type Context, type Decision, type Denial, deny } from '../commands.js';
import { windowMs } from '../evolve.js';
import type { Lease, State } from '../state.js';
import { borrowedBy, leaseFreeAtMs } from './denial.js';
import { endLingerOf } from './linger.js';

/**
 * Forced release (DESIGN 3): the right ends now, or at a moment that is set and can be called off; the seat is held until the device's
 * signed stop or the end of the window. Setting it again moves it.
 */
export function revokeLease(
  state: State,
  command: Command<'revokeLease'>,
  context: Context,
): Decision<'revokeLease'> {
  const kept = endLingerOf(state, command);
  if (kept !== null) {
    const outcome = { lease: command.lease, freeAtMs: context.now.wallMs, releaseAtMs: null };
    return { ok: true, changes: [kept], outcome };
  }
  const lease = leaseOf(state, command.lease);
  if ('ok' in lease) return lease;
  const freeAtMs = leaseFreeAtMs(state, lease, context.now);
  // There is no override (I8).
  if (lease.claims.kind === 'borrow') return borrowedBy(state, lease.email, freeAtMs);
  const { lease: id, reason, afterMs } = command;
  const by = command.by.email;
  if (lease.state === 'revoked')
    return { ok: true, changes: [], outcome: { lease: id, freeAtMs, releaseAtMs: null } };
  if (afterMs === undefined) {
    const outcome = { lease: id, freeAtMs, releaseAtMs: null };
    return { ok: true, changes: [{ type: 'lease.revoked', id, by, reason }], outcome };
  }
  // On the clock that will end it (I5): `steadyWallMs` may be behind the wall.
  const atMs = context.now.steadyWallMs + afterMs;
  return {
    ok: true,
    changes: [{ type: 'lease.warned', id, release: { atMs, by, reason } }],
    outcome: { lease: id, freeAtMs: atMs + windowMs(lease), releaseAtMs: atMs },
  };
}

/** Calls a forced release off; where none is set, nothing changes. */
export function keepLease(
  state: State,
  command: Command<'keepLease'>,
  _context: Context,
): Decision<'keepLease'> {
  const lease = leaseOf(state, command.lease);
  if ('ok' in lease) return lease;
  const id = command.lease;
  if (lease.release === undefined) return { ok: true, changes: [], outcome: { lease: id, kept: false } };
  const change = { type: 'lease.kept', id, by: command.by.email } as const;
  return { ok: true, changes: [change], outcome: { lease: id, kept: true } };
}

/** A message is a fact of the journal, not of the state: who wrote what to whom. */
export function messageLease(
  state: State,
  command: Command<'messageLease'>,
  _context: Context,
): Decision<'messageLease'> {
  const lease = leaseOf(state, command.lease);
  if ('ok' in lease) return lease;
  const { lease: id, text, connected } = command;
  return {
    ok: true,
    // What reaches nobody is no fact; a retry asks again whether somebody is there by now.
    changes: connected ? [{ type: 'lease.messaged', id, by: command.by.email, text }] : [],
    outcome: { lease: id, delivered: connected },
  };
}

function leaseOf(state: State, id: string): Lease | Denial {
  const lease = state.tables.lease.get(id);
  return lease ?? deny('LEASE_UNKNOWN', undefined, { lease: id }, 'See `berth lease list`.');
}
