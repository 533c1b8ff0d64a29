import type { Change } from './journal-entry.js';
import type { EntitlementRow, Ledger } from './ledger.js';
import type { Accuse, Judge } from './replay-grants.js';

/** What hangs on an entitlement goes over to the one that replaces it: spent credits, and revokes that wait for a borrow (I8). */
export const heirRules: Readonly<Record<string, Judge>> = {
  'entitlement.state': (ledger, { id: which, state }, accuse) => {
    if (state !== 'replaced') return;
    const id = String(which);
    const spent = ledger.credits.spentOf(id);
    if (spent !== 0) accuse('CREDIT', `${id} is replaced, and ${spent} spent credits of it are forgotten`);
    for (const { claims } of ledger.entitlements.values()) {
      if (claims.replaces !== id) continue;
      for (const { email, seats } of ledger.droppedPending.filter((row) => row.entitlement === id)) {
        const kept = ledger.allocations.get(`${email} ${claims.jti}`)?.revoking?.seats ?? 0;
        if (kept < seats)
          accuse(
            'I8',
            `${claims.jti} replaces ${id}: of ${seats} seats that ${email} is to lose it knows ${kept}`,
          );
      }
    }
  },
};

/** When a record is whole: nobody has a right to a seat of what was removed. */
export function removedGoesOn(ledger: Ledger, changes: readonly Change[], accuse: Accuse): void {
  for (const { type, id, state } of changes) {
    if (type !== 'entitlement.state' || state !== 'removed') continue;
    for (const seat of ledger.seats.values())
      for (const lease of seat.entitlement === id ? seat.leases : [])
        if (isOnline(ledger, lease) && !ledger.leases.get(lease)!.revoked)
          accuse('REMOVAL', `${String(id)} is removed, lease ${lease} of its seat ${seat.id} goes on`);
  }
}

function isOnline(ledger: Ledger, lease: string): boolean {
  return ledger.leases.get(lease)?.claims.kind === 'online';
}

/**
 * What comes in place of an entitlement that still counts, its next revision or another one: it lasts for as long as what is lent of that (I8), and another one
 * has room for what is in use.
 */
export function followsWrongly(ledger: Ledger, { claims }: EntitlementRow, accuse: Accuse): void {
  const { jti, replaces, exp, seats } = claims;
  const [known, replaced] = [jti, replaces ?? ''].map((id) => isLive(ledger, id));
  let used = 0;
  for (const seat of ledger.seats.values()) {
    if (!(known && seat.entitlement === jti) && !(replaced && seat.entitlement === replaces)) continue;
    if (!seat.lingers) used += seat.count;
    for (const id of seat.leases) {
      const lease = ledger.leases.get(id)?.claims;
      if (lease?.kind === 'borrow' && lease.exp > exp)
        accuse('I8', `${jti} ends ${lease.exp - exp} s before borrow ${id}, which is of it then`);
    }
  }
  if (replaced && used > seats)
    accuse('ENTITLEMENT', `${jti} replaces ${replaces} with ${seats} seats, ${used} are in use`);
}

function isLive(ledger: Ledger, id: string): boolean {
  const state = ledger.entitlements.get(id)?.state;
  return state === 'active' || state === 'future';
}

/** When a record is whole: a seat in use that its user's allocation has lost is held until its leases have ended, and is nobody's right any more. */
export function lostSeatsGoOn(ledger: Ledger, _changes: readonly Change[], accuse: Accuse): void {
  ledger.droppedPending.splice(0);
  for (const id of ledger.lostSeats.splice(0)) {
    const seat = ledger.seats.get(id);
    // What an entitlement ends with runs out by itself, or is revoked with it.
    const { state } = ledger.entitlements.get(seat?.entitlement ?? '') ?? {};
    if (seat === undefined || seat.allocation !== null || state !== 'active') continue;
    for (const lease of seat.leases)
      if (ledger.leases.get(lease)?.revoked === false)
        accuse('ALLOCATION', `seat ${id} is taken back from ${seat.email}, its lease ${lease} goes on`);
  }
}
