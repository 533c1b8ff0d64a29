import type { Finding } from './evidence.js';
import type { Act, Change } from './journal-entry.js';
import type { LeaseRow, Ledger, SeatRow } from './ledger.js';
import { grantedCarefully, isShown, takenUpAgain } from './replay-restore.js';
import { FILE_AGE_MS } from './rights.js';

export type Accuse = (rule: Finding['rule'], text: string) => void;

/** A command, and all that it led to. Left out: no command did. */
export interface Run {
  readonly act: Act | undefined;
  readonly changes: readonly Change[];
}

/** Judges one change by what there is just before it. */
export type Judge = (ledger: Ledger, change: Change, accuse: Accuse, run: Run) => void;

/** DESIGN I5: how far the clock may be behind what was seen. Tokens count whole seconds. */
const CLOCK_BEHIND_MS = 5 * 60_000 + 1_000;

/** Seats and leases: to whom, from what, and no more than there are. */
export const grantRules: Readonly<Record<string, Judge>> = {
  'seat.taken': (ledger, { seat }, accuse) => {
    const row = seat as SeatRow;
    notGranting(ledger, row, accuse);
    beyondOwned(ledger, row, accuse);
    if (row.allocation === null) notShared(ledger, row, accuse);
    else notAllocated(ledger, row, row.allocation, accuse);
  },
  // A token of before a restore may be of more seats than the backup knows (I9): of what is owned all the same.
  'seat.grown': (ledger, { id, count }, accuse) => {
    const seat = ledger.seats.get(String(id))!;
    beyondOwned(ledger, { ...seat, count: Number(count) - seat.count }, accuse);
  },
  'seat.charged': (ledger, { id, entitlement }, accuse) => {
    const seat = ledger.seats.get(String(id))!;
    const heir = ledger.entitlements.get(String(entitlement))?.claims;
    // What comes in place of another takes its seats, though they are more than it has (PRODUCT.md: nothing is taken away, nothing is granted).
    if (seat.entitlement === entitlement || heir?.replaces === seat.entitlement) return;
    const moved = { ...seat, entitlement: String(entitlement) };
    const there = ledger.count((other) => other.entitlement === moved.entitlement) + moved.count;
    const unknown = ledger.restore.unknown(ledger, moved.entitlement);
    const has = heir?.seats ?? 0;
    if (ledger.isBorrowed(seat))
      accuse('I8', `moves seat ${seat.id} to ${moved.entitlement}: it is lent from ${seat.entitlement}`);
    if (there > has) accuse('I1', `moves seat ${there} to ${moved.entitlement}, which has ${has}`);
    else if (there + unknown > has)
      accuse(
        'I9',
        `moves seat ${there} to ${moved.entitlement}, which has ${has}: ${unknown} more may be out`,
      );
    movedBeyondOwned(ledger, seat, moved.entitlement, accuse);
  },
  'seat.resumed': (ledger, { id, device }, accuse) => {
    const seat = ledger.seats.get(String(id))!;
    if (!seat.lingers) accuse('LINGER', `seat ${seat.id} is resumed, but it does not linger`);
    const share = ledger.products.get(seat.product)?.share;
    const email = ledger.devices.get(String(device))?.email;
    const isOwn = share === 'user' ? email === seat.email : device === seat.device;
    if (!isOwn) accuse('LINGER', `seat ${seat.id} lingers for ${seat.device}, ${String(device)} gets it`);
  },
  'seat.freed': (ledger, { id }, accuse) => {
    const { leases } = ledger.seats.get(String(id))!;
    if (leases.size > 0) accuse('I1', `seat ${String(id)} is freed while it has leases`);
  },
  'lease.granted': (ledger, { lease }, accuse) => {
    const row = lease as LeaseRow;
    const seat = ledger.seats.get(row.claims.seat)!;
    tooMany(row, seat, accuse);
    // A seat may have moved since, and an admin may have said otherwise: it was granted before.
    if (isShown(ledger, row.claims)) {
      takenUpAgain(ledger, row, seat, accuse);
      return;
    }
    misnamed(ledger, row, seat, accuse);
    if (seat.allocation === null && ledger.products.get(seat.product)?.sharing === false)
      accuse(
        'SHARING',
        `lease ${row.claims.jti} is granted on seat ${seat.id}, a shared one of ${seat.product}, while sharing is off`,
      );
    grantedCarefully(ledger, row, seat, accuse);
    sharedWrongly(ledger, row, seat, accuse);
    onHeldSeat(ledger, row, seat, accuse);
    whileLeaving(ledger, row, seat, accuse);
    if (row.claims.kind === 'borrow') {
      askedLongAgo(ledger, row, accuse);
      lentBeyond(ledger, row, seat, accuse);
      lentWhileOver(ledger, row, accuse);
    }
    const behindMs = ledger.highWaterMs - row.claims.iat * 1000;
    if (behindMs > CLOCK_BEHIND_MS)
      accuse(
        'I5',
        `lease ${row.claims.jti} is granted ${Math.round(behindMs / 1000)} s behind what the clock has seen`,
      );
  },
};

function notGranting(ledger: Ledger, { id, entitlement, product }: SeatRow, accuse: Accuse): void {
  const row = ledger.entitlements.get(entitlement);
  if (row === undefined) {
    accuse('JOURNAL', `seat ${id} is taken from ${entitlement}, which is unknown`);
    return;
  }
  if (row.state !== 'active' && row.state !== 'future')
    accuse('ENTITLEMENT', `seat ${id} is taken from ${entitlement}, which is ${row.state}`);
  if (row.removing !== undefined)
    accuse('I8', `seat ${id} is taken from ${entitlement}, whose removal is pending`);
  if (row.claims.product !== product)
    accuse('JOURNAL', `seat ${id} is of another product than ${entitlement}`);
}

function beyondOwned(ledger: Ledger, { id, entitlement, product, count }: SeatRow, accuse: Accuse): void {
  const used = ledger.count((seat) => seat.entitlement === entitlement) + count;
  const has = ledger.entitlements.get(entitlement)?.claims.seats ?? 0;
  if (used > has) accuse('I1', `seat ${id} is number ${used} of ${entitlement}, which has ${has}`);
  const all = ledger.count((seat) => seat.product === product) + count;
  if (all > ledger.owned(product))
    accuse('I1', `seat ${id} is number ${all} of ${product}, ${ledger.owned(product)} are owned`);
}

/** Seats that are held on ended entitlements count too: what is not where the seat comes from must fit in what is owned without that. */
function movedBeyondOwned(ledger: Ledger, seat: SeatRow, to: string, accuse: Accuse): void {
  const { entitlement: from, product, count } = seat;
  const [used, owned] = [
    ledger.count((other) => other.product === product && other.entitlement !== from) + count,
    ledger.owned(product, from),
  ];
  const text = `moves seat ${seat.id} to ${to} as number ${used} of ${product}, ${owned} are owned without ${from}`;
  // During the hold nobody counts what may be out: nothing is free then.
  const { restore } = ledger;
  const out = restore.isHolding ? 0 : restore.unknownOf(ledger, product) - restore.unknown(ledger, from);
  if (used > owned) accuse('I1', text);
  else if (used + out > owned) accuse('I9', `${text}: ${out} more may be out`);
}

function notShared(ledger: Ledger, { id, entitlement, count }: SeatRow, accuse: Accuse): void {
  const used = ledger.count((seat) => seat.entitlement === entitlement && seat.allocation === null) + count;
  const shared = (ledger.entitlements.get(entitlement)?.claims.seats ?? 0) - ledger.allocated(entitlement);
  if (used > shared && ledger.allocated(entitlement) > 0)
    accuse('ALLOCATION', `seat ${id} is number ${used} of the ${shared} shared ones of ${entitlement}`);
}

function notAllocated(ledger: Ledger, seat: SeatRow, allocation: string, accuse: Accuse): void {
  const row = ledger.allocations.get(allocation);
  if (row === undefined || row.email !== seat.email || row.entitlement !== seat.entitlement) {
    accuse('ALLOCATION', `seat ${seat.id} of ${seat.email} is charged to the allocation "${allocation}"`);
    return;
  }
  if (row.revoking !== undefined)
    accuse('I8', `seat ${seat.id} is taken from "${allocation}", of which a revoke is pending`);
  const used = ledger.count((other) => other.allocation === allocation) + seat.count;
  if (used > row.quantity)
    accuse('ALLOCATION', `seat ${seat.id} is number ${used} of "${allocation}", which has ${row.quantity}`);
}

function tooMany({ claims: { jti, n } }: LeaseRow, seat: SeatRow, accuse: Accuse): void {
  if (n > seat.count) accuse('I1', `lease ${jti} is of ${n} seats, seat ${seat.id} of ${seat.count}`);
}

function misnamed(ledger: Ledger, { claims, device }: LeaseRow, seat: SeatRow, accuse: Accuse): void {
  const { jti, product, ent, dev } = claims;
  if (product !== seat.product || ent !== seat.entitlement)
    accuse('JOURNAL', `lease ${jti} names another product or entitlement than its seat`);
  const known = ledger.devices.get(device);
  if (known === undefined) accuse('JOURNAL', `lease ${jti} is for a device that is not enrolled`);
  else if (known.leaseKey !== dev) accuse('JOURNAL', `lease ${jti} names another key than its device has`);
}

/** DESIGN 5, what shares a seat. A borrow may stand beside the lease of the same device. */
function sharedWrongly(
  ledger: Ledger,
  { claims, device, email }: LeaseRow,
  seat: SeatRow,
  accuse: Accuse,
): void {
  const share = ledger.products.get(seat.product)?.share;
  for (const id of seat.leases) {
    const other = ledger.leases.get(id)!;
    const mayShare =
      share === 'user'
        ? other.email === email
        : other.device === device && (share === 'device' || claims.kind === 'borrow');
    if (!mayShare)
      accuse(
        'SHARE',
        `lease ${claims.jti} is put on the seat of ${id}: ${seat.product} is shared by ${share}`,
      );
  }
}

/** PRODUCT.md, Words: a held seat is one whose right ended early; until its tokens are certainly over nobody may use it. */
function onHeldSeat(ledger: Ledger, { claims }: LeaseRow, seat: SeatRow, accuse: Accuse): void {
  const isHeld =
    seat.leases.size > 0 && [...seat.leases].every((id) => ledger.leases.get(id)?.revoked === true);
  if (isHeld) accuse('SHARE', `lease ${claims.jti} is put on seat ${seat.id}, which was taken back`);
}

function whileLeaving(ledger: Ledger, { claims, email }: LeaseRow, seat: SeatRow, accuse: Accuse): void {
  const leaving = (what: string): void =>
    accuse('I8', `lease ${claims.jti} is granted while ${what} is pending`);
  if (ledger.entitlements.get(seat.entitlement)?.removing !== undefined)
    leaving(`the removal of ${seat.entitlement}`);
  if (ledger.users.get(email)?.removing !== undefined) leaving(`the removal of ${email}`);
  if (ledger.allocations.get(seat.allocation ?? '')?.revoking !== undefined)
    leaving(`a revoke of "${seat.allocation}"`);
}

/** PROTOCOL 4.9: who asks in a file is answered within a week. Tokens count whole seconds. */
function askedLongAgo(ledger: Ledger, { claims: { jti, iat, nonce } }: LeaseRow, accuse: Accuse): void {
  const ageMs = iat * 1000 - (ledger.signedAtMs.get(nonce) ?? Number.POSITIVE_INFINITY);
  if (ageMs > FILE_AGE_MS + 1_000)
    accuse('I3', `borrow ${jti} is granted to a request in a file of ${Math.round(ageMs / 3_600_000)} h ago`);
}

/** I1: a borrow would make the excess irrevocable, also one of a seat that its device has. */
function lentWhileOver(ledger: Ledger, { claims: { jti, product } }: LeaseRow, accuse: Accuse): void {
  const [taken, owned] = [ledger.count((seat) => seat.product === product), ledger.owned(product)];
  if (taken > owned)
    accuse('I1', `borrow ${jti} is granted while ${taken} seats of ${product} are taken, ${owned} owned`);
}

/** The limits of the entitlement and of the admin; an extension takes no further seat, but must stand within the cap. */
function lentBeyond(ledger: Ledger, { claims, email }: LeaseRow, seat: SeatRow, accuse: Accuse): void {
  const lent = (which: (seat: SeatRow) => boolean): number =>
    ledger.count((other) => other.id === seat.id || (ledger.isBorrowed(other) && which(other)));
  const { borrow } = ledger.entitlements.get(seat.entitlement)?.claims ?? {};
  const over = (sum: number, limit: number | null | undefined, of: string): void => {
    if (limit !== null && limit !== undefined && sum > limit)
      accuse('BORROW', `borrow ${claims.jti} is number ${sum} of ${limit} that may be lent ${of}`);
  };
  if (!ledger.isBorrowed(seat))
    over(
      lent((other) => other.entitlement === seat.entitlement),
      borrow?.seats ?? 0,
      `from ${seat.entitlement}`,
    );
  const settings = ledger.products.get(seat.product)?.settings;
  over(
    lent((other) => other.product === seat.product),
    settings?.borrowSeatsMax,
    `of ${seat.product}`,
  );
  const own = lent((other) => other.product === seat.product && other.email === email);
  over(own, settings?.borrowSeatsPerUserMax, `of ${seat.product} to ${email}`);
}
