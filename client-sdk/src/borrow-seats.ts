import type { BorrowShelf, StoredBorrow } from './borrow-shelf.js';
import type { BorrowUse, BorrowUses } from './borrow-use.js';
import type { CancelTimer, Host } from './host.js';
import { HeldSeat, type SeatLease } from './seat.js';
import { timing } from './timing.js';
import { unattended } from './waiting.js';
import type { Want } from './wants.js';

/** The seats of one client that live on borrows: they need no server, only the files of this device. */
export class BorrowSeats {
  readonly #host: Host;
  readonly #shelf: BorrowShelf;
  readonly #uses: BorrowUses;
  readonly #letGo: (leases: readonly SeatLease[]) => void;
  readonly #inUse = new Map<HeldSeat, BorrowUse>();
  #timer: CancelTimer | null = null;

  /** @param letGo gives online leases back that a seat no longer lives on: nobody would renew or release them */
  constructor(
    host: Host,
    shelf: BorrowShelf,
    uses: BorrowUses,
    letGo: (leases: readonly SeatLease[]) => void,
  ) {
    this.#host = host;
    this.#shelf = shelf;
    this.#uses = uses;
    this.#letGo = letGo;
  }

  /** A seat on valid borrows: of one product of each want, with at least its seats. `null` when there is none for some want. */
  async take(wants: readonly Want[]): Promise<HeldSeat | null> {
    const valid = await this.#valid();
    const taken: { stored: StoredBorrow; use: BorrowUse; seats: number }[] = [];
    for (const want of wants) {
      const part = await this.#first(want, valid);
      if (part === null) {
        await Promise.all(taken.map(({ use }) => this.#uses.end(use)));
        return null;
      }
      taken.push(part);
    }
    if (!(await this.#stillValid(taken.map(({ stored }) => stored)))) {
      await Promise.all(taken.map(({ use }) => this.#uses.end(use)));
      return null;
    }
    const facts = {
      parts: taken.map(({ stored, seats }) => ({ product: stored.borrow.product, seats })),
      kind: 'borrow' as const,
      joined: false,
      leases: taken.flatMap(({ stored }) => stored.leases),
    };
    const seat: HeldSeat = new HeldSeat(this.#host, facts, () => this.#end(seat));
    this.#started(seat, { marks: taken.flatMap(({ use }) => use.marks) });
    return seat;
  }

  /** Of the products in their order, the first borrow that nobody else has for himself. */
  async #first(
    { products, seats }: Want,
    valid: readonly StoredBorrow[],
  ): Promise<{ stored: StoredBorrow; use: BorrowUse; seats: number } | null> {
    for (const product of products) {
      for (const stored of valid) {
        if (stored.borrow.product !== product || stored.borrow.seats < seats) continue;
        const use = await this.#begin([stored]);
        if (use !== null) return { stored, use, seats };
      }
    }
    return null;
  }

  /** After a borrow was taken: these seats of this client live on it from now on, if it is theirs. */
  async adopt(seats: readonly HeldSeat[]): Promise<void> {
    const valid = await this.#valid();
    for (const seat of [...seats, ...this.#inUse.keys()]) await this.#move(seat, valid);
  }

  /** True when the seat lives on a borrow from now on. */
  async adoptOne(seat: HeldSeat): Promise<boolean> {
    return this.#move(seat, await this.#valid());
  }

  stop(): void {
    this.#timer?.();
    this.#timer = null;
  }

  async releaseAll(): Promise<void> {
    await Promise.all([...this.#inUse.keys()].map((seat) => seat.release()));
  }

  /** Borrowing what is held converts it, borrowing again extends it: both name the same seat of the server (DESIGN 5). */
  async #move(seat: HeldSeat, valid: readonly StoredBorrow[]): Promise<boolean> {
    // Of a bundle every part: one that is half borrowed goes on as it was.
    const stored = valid.filter(({ seatIds }) => seat.leases.some((lease) => seatIds.includes(lease.seat)));
    const covered = new Set(stored.flatMap(({ seatIds }) => seatIds));
    if (!seat.leases.every((lease) => covered.has(lease.seat))) return false;
    const use = this.#inUse.get(seat) ?? (await this.#beginValid(stored));
    // While the mark was written, the same may have been done on another way.
    const known = this.#inUse.get(seat);
    if (known !== undefined && use !== null && use !== known) await this.#uses.end(use);
    const kept = known ?? use;
    if (kept === null) return false;
    const online = seat.kind === 'online' ? seat.leases : [];
    if (
      seat.convert(
        stored.flatMap(({ leases }) => leases),
        () => this.#end(seat),
      )
    ) {
      this.#started(seat, kept);
      if (online.length > 0) this.#letGo(online);
      return true;
    }
    await this.#uses.end(kept);
    return false;
  }

  async #valid(): Promise<StoredBorrow[]> {
    return (await this.#shelf.all()).filter(({ borrow }) => borrow.state === 'valid');
  }

  /** As `#begin`; `null` too when one of them has been returned meanwhile. */
  async #beginValid(all: readonly StoredBorrow[]): Promise<BorrowUse | null> {
    const use = await this.#begin(all);
    if (use === null || (await this.#stillValid(all))) return use;
    await this.#uses.end(use);
    return null;
  }

  /** Marked first, looked at again then: whoever returns one looks for marks once its return is on disk (borrow-return.ts). */
  async #stillValid(all: readonly StoredBorrow[]): Promise<boolean> {
    const still = new Set((await this.#valid()).map(({ borrow }) => borrow.id));
    return all.every(({ borrow }) => still.has(borrow.id));
  }

  async #begin(all: readonly StoredBorrow[]): Promise<BorrowUse | null> {
    const marks: string[] = [];
    for (const { seatIds, share } of all) {
      const use = share === null ? null : await this.#uses.begin(seatIds, share);
      if (use === null) {
        await this.#uses.end({ marks });
        return null;
      }
      marks.push(...use.marks);
    }
    return { marks };
  }

  #started(seat: HeldSeat, use: BorrowUse): void {
    this.#inUse.set(seat, use);
    this.#timer ??= this.#host.setTimer(() => this.#refresh(), timing.useRefreshMs);
  }

  async #end(seat: HeldSeat): Promise<void> {
    const use = this.#inUse.get(seat);
    this.#inUse.delete(seat);
    // A mark that stays behind counts only as long as this process lives.
    if (use !== undefined) await this.#uses.end(use).catch(() => undefined);
  }

  #refresh(): void {
    this.#timer = null;
    if (this.#inUse.size === 0) return;
    unattended(this.#keepFresh());
    this.#timer = this.#host.setTimer(() => this.#refresh(), timing.useRefreshMs);
  }

  /** Another process may have extended the borrow meanwhile. */
  async #keepFresh(): Promise<void> {
    for (const use of this.#inUse.values()) await this.#uses.refresh(use);
    await this.adopt([]);
  }
}
