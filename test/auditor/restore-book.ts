import type { Change } from './journal-entry.js';
import type { EntitlementRow, Ledger, SeatRow } from './ledger.js';
import { FILE_AGE_MS } from './rights.js';
import type { LeaseClaims } from './token.js';

/** What may be out of one entitlement, borrowed from the server of before the restore. */
interface Reserve {
  readonly seats: number;
  /** Nothing of it can be out any more by the clock of the server. */
  readonly untilMs: number;
}

/**
 * What a restored server must keep back (I9), written down a second time: as many seats of each entitlement as it lends, until the longest borrow is over, or somebody
 * answers for it that nothing is out.
 */
export class RestoreBook {
  /** Somebody may have what the journal knows nothing of. */
  isCareful = false;
  /** Nothing new is granted. */
  isHolding = false;
  /** D as the last process noted it, seconds. */
  leaseSeconds = 0;
  /** What is not kept back any more since somebody looked, and until when it should be. */
  readonly ended: { readonly entitlement: string; readonly untilMs: number }[] = [];
  #begunMs: number | null = null;
  readonly #reserves = new Map<string, Reserve>();
  /** Seats that are borrowed from the server of before: known from the backup, or shown by who has them. */
  readonly #earlier = new Set<string>();
  /** Those of them that the journal says were shown. */
  readonly #shown = new Set<string>();
  /** Those that only the backup knows: their borrow may have been returned since, and somebody else have the seat. */
  readonly #unseen = new Set<string>();
  /** Seats that no lease was granted on yet. */
  readonly #fresh = new Set<string>();

  /** Before the ledger applies it. */
  apply(change: Change, ledger: Ledger): void {
    this.#steps[change.type]?.(change, ledger);
  }

  isEarlier(seat: SeatRow): boolean {
    return this.#earlier.has(seat.id);
  }

  isMarked({ id }: SeatRow): boolean {
    return this.#shown.has(id);
  }

  isUnseen({ id }: SeatRow): boolean {
    return this.#unseen.has(id);
  }

  /** True for the first lease on a seat. */
  isFresh({ id }: SeatRow): boolean {
    return this.#fresh.has(id);
  }

  keepsBack(entitlement: string): boolean {
    return this.#reserves.has(entitlement);
  }

  /** Seats of an entitlement that may be out, besides those that the ledger has. */
  unknown(ledger: Ledger, entitlement: string): number {
    const { seats = 0 } = this.#reserves.get(entitlement) ?? {};
    return Math.max(
      0,
      seats - ledger.count((seat) => seat.entitlement === entitlement && this.isEarlier(seat)),
    );
  }

  /** The same of what a product owns. */
  unknownOf(ledger: Ledger, product: string): number {
    let sum = 0;
    for (const { claims, state } of ledger.entitlements.values())
      if (claims.product === product && (state === 'active' || state === 'future'))
        sum += this.unknown(ledger, claims.jti);
    return sum;
  }

  readonly #steps: Readonly<Record<string, (change: Change, ledger: Ledger) => void>> = {
    'organisation.restored': () => {
      this.isCareful = true;
      this.isHolding = true;
    },
    'window.noted': ({ leaseSeconds }) => {
      this.leaseSeconds = Number(leaseSeconds);
    },
    'restore.begun': ({ atMs }, ledger) => {
      const begunMs = Number(atMs);
      this.#begunMs = begunMs;
      this.#reserves.clear();
      this.#earlier.clear();
      this.#shown.clear();
      this.#unseen.clear();
      // What was removed may have come back since.
      for (const row of ledger.entitlements.values())
        if (row.state !== 'replaced' && row.claims.exp * 1000 > begunMs) this.#reserve(row, begunMs);
      for (const seat of ledger.seats.values())
        if (ledger.isBorrowed(seat)) {
          this.#earlier.add(seat.id);
          this.#unseen.add(seat.id);
        }
    },
    'restore.windowOver': (_change, ledger) => {
      this.isHolding = false;
      // An online lease that is there still was renewed since.
      for (const id of this.#unseen)
        if (
          [...(ledger.seats.get(id)?.leases ?? [])].some(
            (lease) => ledger.leases.get(lease)!.claims.kind === 'online',
          )
        )
          this.#unseen.delete(id);
    },
    'restore.accepted': () => {
      this.isCareful = false;
      this.isHolding = false;
      this.#reserves.clear();
      this.#unseen.clear();
    },
    'reserve.ended': ({ id }) => {
      this.ended.push({ entitlement: String(id), untilMs: this.#reserves.get(String(id))?.untilMs ?? 0 });
      this.#reserves.delete(String(id));
    },
    'entitlement.state': ({ id, state }) => {
      if (state === 'expired') this.#reserves.delete(String(id));
    },
    'entitlement.put': ({ entitlement }) => {
      if (this.isCareful && this.#begunMs !== null)
        this.#reserve(entitlement as EntitlementRow, this.#begunMs);
    },
    'seat.taken': ({ seat }) => {
      const { id, earlier } = seat as { readonly id: string; readonly earlier?: string };
      this.#fresh.add(id);
      // What ran out by the backup may be shown after that, as a borrow that went on.
      this.#unseen.delete(id);
      if (earlier === 'shown') this.#shown.add(id);
    },
    'seat.shown': ({ id }) => {
      this.#shown.add(String(id));
      this.#unseen.delete(String(id));
    },
    'seat.seen': ({ id }) => {
      this.#shown.delete(String(id));
      this.#unseen.delete(String(id));
    },
    'seat.freed': ({ id }) => void this.#fresh.delete(String(id)),
    'lease.granted': ({ lease }, ledger) => {
      const { seat, kind, epoch } = (lease as { claims: LeaseClaims }).claims;
      this.#fresh.delete(seat);
      if (kind === 'borrow' && ledger.epoch !== null && epoch !== ledger.epoch) this.#earlier.add(seat);
    },
  };

  /** A revision may lend fewer: what the one before it lent is out all the same. What replaces another keeps back for it as well. */
  #reserve({ claims: { jti, replaces = '', seats, borrow, exp } }: EntitlementRow, begunMs: number): void {
    const known = [this.#reserves.get(jti), this.#reserves.get(replaces)].filter((row) => row !== undefined);
    this.#reserves.delete(replaces);
    const before = {
      seats: known.reduce((sum, row) => sum + row.seats, 0),
      untilMs: Math.max(0, ...known.map(({ untilMs }) => untilMs)),
    };
    if (borrow === undefined) {
      if (known.length > 0) this.#reserves.set(jti, before);
      return;
    }
    const longestMs = begunMs + borrow.maxSeconds * 1002 + 15 * 60_000 + FILE_AGE_MS;
    this.#reserves.set(jti, {
      seats: Math.max(before.seats, Math.min(borrow.seats, seats)),
      untilMs: Math.max(before.untilMs, Math.min(longestMs, exp * 1000)),
    });
  }
}
