import type { Change } from '../changes.js';
import { type Command, type Context, type Decision, deny } from '../commands.js';
import type { State } from '../state.js';
import { lingerOf } from './linger.js';

/**
 * Gives leases back, all or nothing. One that has ended already counts as released, so that a retry never fails; one of another
 * device is unknown. A revoked lease needs the signed stop of its device: its token may still be in use (I1).
 */
export function release(state: State, command: Command<'release'>, context: Context): Decision<'release'> {
  const changes: Change[] = [];
  const ended = new Set<string>();
  for (const id of new Set(command.leases)) {
    const lease = state.tables.lease.get(id);
    if (lease === undefined) continue;
    if (lease.device !== command.by.device) return deny('LEASE_UNKNOWN', undefined, { lease: id });
    if (lease.claims.kind === 'borrow') {
      return deny('LEASE_UNKNOWN', 'A borrow is given back with borrow.return.', { lease: id });
    }
    const stopped = command.stopped.includes(id);
    if (lease.state === 'revoked' && !stopped) return deny('STOP_REQUIRED', undefined, { lease: id });
    const linger = lingerOf(state, lease, ended, context);
    const reason = stopped ? 'stopped' : 'released';
    changes.push({ type: 'lease.ended', id, reason, ...(linger === null ? {} : { linger }) });
    ended.add(id);
  }
  return { ok: true, changes, outcome: { released: [...new Set(command.leases)] } };
}
