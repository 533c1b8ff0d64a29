import type { Finding } from './evidence.js';
import type { Change } from './journal-entry.js';
import type { Ledger } from './ledger.js';
import type { Accuse, Judge, Run } from './replay-grants.js';
import { isShown } from './replay-restore.js';
import type { LeaseClaims } from './token.js';

/** What lets the other rules go is somebody's word: an admin's for the clock (I5) and for a restore, a device's for what it has (I9). */
export const overrideRules: Readonly<Record<string, Judge>> = {
  'clock.accepted': (_ledger, _change, accuse, run) => unasked('acceptClock', 'I5', run, accuse),
  'restore.accepted': (_ledger, _change, accuse, run) => unasked('acceptRestore', 'I9', run, accuse),
  // The borrow is here, and its own device shows it; or the token brings it.
  'seat.shown': (ledger, { id }, accuse, run) => {
    const leases = [...(ledger.seats.get(String(id))?.leases ?? [])].map(
      (lease) => ledger.leases.get(lease)!,
    );
    const isProved =
      run.act?.did === 'readmit' &&
      leases.some(({ claims, device }) => claims.kind === 'borrow' && device === run.act?.device);
    if (!isProved && !isBrought(ledger, String(id), 'borrow', run))
      accuse('I9', `the borrow of seat ${String(id)} counts as shown, and its device has not shown it`);
  },
  'seat.seen': (ledger, { id }, accuse, run) => {
    if (!isBrought(ledger, String(id), 'online', run))
      accuse(
        'I9',
        `seat ${String(id)} counts as in use since its borrow, and nobody has shown a lease of it`,
      );
  },
};

function unasked(did: string, rule: Finding['rule'], { act }: Run, accuse: Accuse): void {
  if (act?.did !== did || act.by === undefined) accuse(rule, `${did}: nobody asked for it`);
}

/** The same command takes up such a lease of before on the seat. */
function isBrought(ledger: Ledger, seat: string, kind: LeaseClaims['kind'], { changes }: Run): boolean {
  return changes.some(({ type, lease }: Change) => {
    if (type !== 'lease.granted') return false;
    const { claims } = lease as { readonly claims: LeaseClaims };
    return claims.seat === seat && claims.kind === kind && isShown(ledger, claims);
  });
}
