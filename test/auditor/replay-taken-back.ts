import type { Change } from './journal-entry.js';
import type { Ledger } from './ledger.js';
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
