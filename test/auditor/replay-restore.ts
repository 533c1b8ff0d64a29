import type { LeaseRow, Ledger, SeatRow } from './ledger.js';
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
    // Of the last D leases may be out that nobody here knows of.
    let longest = ledger.restore.leaseSeconds;
    for (const { claims } of ledger.leases.values())
      if (claims.kind === 'online') longest = Math.max(longest, claims.dur);
    if (Number(windowMs) < Math.max(1, onlineWindowMs(longest * 1000)))
      accuse('I9', `the hold is ${String(windowMs)} ms, there may be leases of ${longest} s`);
  },
};

/** Of before the restore: shown by whoever has it, and judged by the server that granted it. */
export function isShown(ledger: Ledger, { epoch }: LeaseClaims): boolean {
  return ledger.epoch !== null && epoch !== ledger.epoch;
}

/** What a token says, whatever the order. */
export function wordsOf(claims: LeaseClaims): string {
  return JSON.stringify(Object.entries(claims).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** What is taken up again was granted once, as it is shown and to the device that shows it; a borrow is one of those that are kept back. */
export function takenUpAgain(
  ledger: Ledger,
  { claims, device }: LeaseRow,
  seat: SeatRow,
  accuse: Accuse,
): void {
  const { jti, dev, kind } = claims;
  if (ledger.devices.get(device)?.leaseKey !== dev)
    accuse('I9', `lease ${jti} is taken up again for ${device}, which it does not name`);
  if (!ledger.given.has(wordsOf(claims)))
    accuse('I9', `lease ${jti} is taken up again in words that no client was given`);
  if (kind === 'borrow' && !ledger.restore.isMarked(seat))
    accuse('I9', `borrow ${jti} is shown, and its seat is kept back once more`);
}

/** What a restored server grants itself: nothing at first, then only what nobody can have. */
export function grantedCarefully(
  ledger: Ledger,
  { claims: { jti, kind, ent, product } }: LeaseRow,
  seat: SeatRow,
  accuse: Accuse,
): void {
  const { restore } = ledger;
  if (!restore.isCareful) return;
  const isLentAlready = kind === 'borrow' && restore.isEarlier(seat);
  if (restore.isHolding && !isLentAlready)
    accuse('I9', `lease ${jti} is granted before the leases of before the restore have run out`);
  if (kind === 'borrow' && !isLentAlready && restore.keepsBack(ent))
    accuse('I9', `borrow ${jti} is lent from ${ent}, of which as many as it lends may be out`);
  if (restore.isUnseen(seat))
    accuse(
      'I9',
      `lease ${jti} is granted on ${seat.id}, whose borrow nobody has shown: it may have been returned`,
    );
  if (!restore.isFresh(seat)) return;
  const own = ledger.count((other) => other.entitlement === ent);
  const [unknown, has] = [restore.unknown(ledger, ent), ledger.entitlements.get(ent)?.claims.seats ?? 0];
  if (own + unknown > has)
    accuse('I9', `lease ${jti} is of seat ${own} of ${ent}, which has ${has}: ${unknown} more may be out`);
  const all = ledger.count((other) => other.product === product);
  const [out, owned] = [restore.unknownOf(ledger, product), ledger.owned(product)];
  if (all + out > owned)
    accuse('I9', `lease ${jti} is of seat ${all} of ${product}, ${owned} are owned: ${out} more may be out`);
}
