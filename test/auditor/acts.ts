import type { Act, Change, JournalEntry } from './journal-entry.js';
import type { AllocationRow, EntitlementRow } from './ledger.js';

/** What one command led to, and what was allocated just before it. */
export interface ActSeen {
  readonly seq: number;
  readonly did: string;
  readonly by: string | undefined;
  readonly changes: readonly Change[];
  readonly before: Allocated;
}

/** Goes through the commands that the journal tells of, in order. */
export function eachAct(records: readonly JournalEntry[], look: (act: ActSeen) => void): void {
  const before = new Allocated();
  for (const { seq, changes, acts = [] } of records) {
    let applied = 0;
    for (const { first, count, did, by } of acts) {
      for (; applied < first; applied++) before.apply(changes[applied]!);
      look({ seq, did, by, changes: changes.slice(first, first + count), before });
    }
    for (; applied < changes.length; applied++) before.apply(changes[applied]!);
  }
}

/** The command that led to one of the changes of a record, if the journal says so. */
export function actAt({ acts = [] }: JournalEntry, place: number): Act | undefined {
  return acts.find(({ first, count }) => first <= place && place < first + count);
}

/** What is set aside for whom, of which product. */
export class Allocated {
  readonly #rows = new Map<string, AllocationRow>();
  readonly #products = new Map<string, string>();

  apply({ type, allocation, entitlement }: Change): void {
    if (type === 'entitlement.put') {
      const { jti, product } = (entitlement as EntitlementRow).claims;
      this.#products.set(jti, product);
    }
    if (type !== 'allocation.set') return;
    const row = allocation as AllocationRow;
    this.#rows.set(idOf(row), row);
  }

  productOf(entitlement: string): string | undefined {
    return this.#products.get(entitlement);
  }

  /** Allocation rows as they are after these changes, each with how many seats more it has than before. */
  after(changes: readonly Change[]): { row: AllocationRow; more: number; revokingMore: number }[] {
    const last = new Map<string, AllocationRow>();
    for (const { type, allocation } of changes)
      if (type === 'allocation.set') last.set(idOf(allocation as AllocationRow), allocation as AllocationRow);
    return [...last].map(([id, row]) => {
      const was = this.#rows.get(id);
      return {
        row,
        more: row.quantity - (was?.quantity ?? 0),
        revokingMore: (row.revoking?.seats ?? 0) - (was?.revoking?.seats ?? 0),
      };
    });
  }

  /** Seats of a product (`undefined`: of all) that are set aside for somebody. */
  of(email: string, product: string | undefined): number {
    let sum = 0;
    for (const row of this.#rows.values())
      if (row.email === email && (product === undefined || this.#products.get(row.entitlement) === product))
        sum += row.quantity;
    return sum;
  }
}

function idOf({ email, entitlement }: AllocationRow): string {
  return `${email} ${entitlement}`;
}
