import { type Denial, deny } from '../commands.js';
import { borrowedSeats, borrowsEndMs, isWithdrawn } from '../pending.js';
import type { Now, Seat, State } from '../state.js';
import { shellWord } from './shell-word.js';

/** The refusal of anything new for somebody whose removal is pending. */
export function leaving(state: State, email: string, now: Now): Denial | null {
  if (state.tables.user.get(email)?.removing === undefined) return null;
  const seats = borrowedSeats(state, state.derived.seatsByUser.get(email));
  const denial = revokePending(`The removal of ${email} is pending.`, borrowsEndMs(state, seats, now));
  return { ...denial, next: cancelling(`berth user remove ${shellWord(email)} --cancel`) };
}

/** The refusal of lending these seats for longer: they are to be given back when their borrow ends. */
export function withdrawn(state: State, seats: readonly Seat[], now: Now): Denial | null {
  const stuck = seats.filter(({ entitlement, allocation }) => isWithdrawn(state, entitlement, allocation));
  if (stuck.length === 0) return null;
  const untilMs = borrowsEndMs(state, stuck, now);
  const gone = stuck.find(({ entitlement }) => state.tables.entitlement.get(entitlement)?.removing);
  if (gone === undefined) return revokePending('A revoke of the borrowed seat is pending.', untilMs);
  return {
    ...revokePending('The removal of the entitlement of the borrowed seat is pending.', untilMs),
    next: cancelling(`berth entitlement remove ${gone.entitlement} --cancel`),
  };
}

const cancelling = (command: string): string =>
  `Wait until then, or ask an admin to cancel it: \`${command}\`.`;

export function revokePending(message: string, untilMs: number): Denial {
  return deny('REVOKE_PENDING', message, { rule: 'REVOKE_PENDING', untilMs });
}
