import type { BorrowSeats } from './borrow-seats.js';
import type { BorrowShelf } from './borrow-shelf.js';
import type { BorrowUses } from './borrow-use.js';
import type { PendingRequests } from './pending.js';
import type { HeldSeat } from './seat.js';
import type { Session } from './session.js';

/** Everything that taking and returning borrows needs. */
export interface BorrowDesk {
  readonly session: Session;
  readonly shelf: BorrowShelf;
  readonly uses: BorrowUses;
  readonly pending: PendingRequests;
  /** Verifies tokens of this product only; `null`: of any. */
  readonly product: string | null;
  /** The seats a new borrow may convert; `null` for a tool that holds none. */
  readonly seats: { readonly borrowed: BorrowSeats; online(): readonly HeldSeat[] } | null;
}
