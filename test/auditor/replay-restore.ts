import type { Ledger } from './ledger.js';
import type { Accuse, Judge } from './replay-grants.js';
import { onlineWindowMs } from './rights.js';
import type { LeaseClaims } from './token.js';

/** I9: a restored server has a new epoch, and grants nothing before what it does not know of has run out. */
export const restoreRules: Readonly<Record<string, Judge>> = {
  'organisation.restored': (ledger, { epoch }, accuse) => {
    if (ledger.epochs.has(String(epoch)))
      accuse('I9', `the restored server goes on in epoch ${String(epoch)}, which there was before`);
  },
  'restore.begun': (ledger, { windowMs }, accuse) => {
    let longest = 0;
    for (const { claims } of ledger.leases.values())
      if (claims.kind === 'online') longest = Math.max(longest, claims.dur);
    if (Number(windowMs) < Math.max(1, onlineWindowMs(longest * 1000)))
      accuse('I9', `the hold is ${String(windowMs)} ms, there are leases of ${longest} s`);
  },
};

/** Of before the restore: shown by whoever has it, and judged by the server that granted it. */
export function isShown(ledger: Ledger, { epoch }: LeaseClaims): boolean {
  return ledger.epoch !== null && epoch !== ledger.epoch;
}

export function grantedInHold(ledger: Ledger, { jti, seat }: LeaseClaims, accuse: Accuse): void {
  if (ledger.isHolding && ledger.takenInHold.has(seat))
    accuse(
      'I9',
      `lease ${jti} is granted on a new seat before the leases of before the restore have run out`,
    );
}
