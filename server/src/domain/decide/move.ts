import type { AllocationInfo } from '@berth/protocol';
import type { Change } from '../changes.js';
import { type Command, type Context, type Decision, type Denial, deny } from '../commands.js';
import { borrowsEndMs } from '../pending.js';
import type { Allocation, State } from '../state.js';
import { countOf, grow, revokeUnderway, shrink } from './allocation.js';
import { borrowedBy, userUnknown } from './denial.js';
import { closed } from './grant.js';
import { freedOnce } from './linger.js';
import { leaving } from './pending.js';
import { allocationsOf, borrowsOf, hasPersonal, sum, takeBack } from './revoke.js';

/**
 * Re-allocates: what one user gives up another has in the same step, so that nobody can take the seats in between. Idle seats go first, then
 * those in use, whose leases are revoked; where that would take a borrowed one it is refused (I8).
 */
export function move(state: State, command: Command<'move'>, context: Context): Decision<'move'> {
  const { email, to, product } = command;
  const refused = closed(state, context) ?? mayNotMove(state, command, context);
  if (refused !== null) return refused;
  // The ones that last longest first, as an assignment takes them.
  const found = allocationsOf(state, command).reverse();
  const total = found.reduce((all, { quantity }) => all + quantity, 0);
  const facts = { email, product, allocated: total };
  if (total === 0 && hasPersonal(state, email, product)) return deny('PERSONAL', undefined, facts);
  const quantity = command.quantity === 'all' ? total : command.quantity;
  if (total === 0 || quantity > total)
    return deny(
      'ALLOCATION_UNKNOWN',
      `${email} has ${total === 0 ? 'no seats' : total === 1 ? 'only 1 seat' : `only ${total} seats`} of ${product} that can be moved.`,
      facts,
    );
  const undecided = revokeUnderway(
    state,
    to,
    found.map(({ entitlement }) => state.tables.entitlement.get(entitlement)!),
    context,
  );
  if (undecided !== null) return undecided;
  const taken = takeBack(state, found, quantity);
  if (sum(taken) < quantity)
    return borrowedBy(state, email, borrowsEndMs(state, borrowsOf(state, email, product), context.now));
  const { changes, allocations } = handOver(state, command, taken, context);
  const leasesRevoked = changes.filter(({ type }) => type === 'lease.revoked').length;
  return {
    ok: true,
    changes,
    outcome: { email, to, moved: quantity, left: total - quantity, leasesRevoked, allocations },
  };
}

function mayNotMove(state: State, { email, to }: Command<'move'>, { now }: Context): Denial | null {
  for (const each of [email, to]) if (!state.tables.user.has(each)) return userUnknown(state, each);
  if (email === to)
    return deny(
      'PARAMS_INVALID',
      `${email} is both the source and the target.`,
      { field: 'to' },
      'Name two different users.',
    );
  return leaving(state, to, now);
}

function handOver(
  state: State,
  { to, by }: Command<'move'>,
  taken: ReadonlyMap<Allocation, number>,
  context: Context,
): { changes: Change[]; allocations: AllocationInfo[] } {
  const changes: Change[] = [];
  const allocations: AllocationInfo[] = [];
  for (const [row, quantity] of taken) {
    const revoking = row.revoking ?? null;
    const given = shrink(state, row, { quantity: row.quantity - quantity, revoking, by: by.email });
    // Seats in use that go to the shared ones until they are free are what these lose.
    const more = { email: to, quantity, sharedTaken: countOf(state, given) };
    const grown = grow(state, state.tables.entitlement.get(row.entitlement)!, more, context);
    changes.push(...given, ...grown.changes);
    allocations.push(grown.info);
  }
  return { changes: freedOnce(changes), allocations };
}
