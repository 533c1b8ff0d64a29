import type { Evidence, Finding } from './evidence.js';
import type { Change } from './journal-reader.js';

/** I1 from the journal alone: no record takes more seats of an entitlement than it has. */
export function journalOverIssues({ journal }: Evidence): Finding[] {
  if (journal === undefined) return [];
  const ledger = new Ledger();
  return journal.records.flatMap(({ seq, changes }) =>
    changes.flatMap((change) => ledger.apply(change, seq)),
  );
}

interface SeatRow {
  entitlement: string;
  readonly count: number;
  readonly leases: Set<string>;
}

class Ledger {
  readonly #capacity = new Map<string, number>();
  readonly #seats = new Map<string, SeatRow>();
  readonly #seatOfLease = new Map<string, string>();

  apply(change: Change, seq: number): Finding[] {
    const step = this.#steps[change.type];
    return step === undefined ? [] : step(change, seq);
  }

  readonly #steps: Readonly<Record<string, (change: Change, seq: number) => Finding[]>> = {
    'entitlement.put': ({ entitlement }) => {
      const { claims } = entitlement as { claims: { jti: string; seats: number } };
      this.#capacity.set(claims.jti, claims.seats);
      return [];
    },
    'seat.taken': ({ seat }, seq) => {
      const { id, entitlement, count } = seat as { id: string; entitlement: string; count: number };
      this.#seats.set(id, { entitlement, count, leases: new Set() });
      return this.#check(entitlement, seq);
    },
    'seat.charged': ({ id, entitlement }, seq) => {
      const seat = this.#seats.get(String(id));
      if (seat === undefined) return [{ rule: 'JOURNAL', text: `record ${seq} charges an unknown seat` }];
      const moved = seat.entitlement !== entitlement;
      seat.entitlement = String(entitlement);
      return moved ? this.#check(seat.entitlement, seq) : [];
    },
    'lease.granted': ({ lease }, seq) => {
      const { jti, seat: id, n } = (lease as { claims: { jti: string; seat: string; n: number } }).claims;
      const seat = this.#seats.get(id);
      if (seat === undefined)
        return [{ rule: 'JOURNAL', text: `record ${seq} leases an unknown seat ${id}` }];
      seat.leases.add(jti);
      this.#seatOfLease.set(jti, id);
      return n <= seat.count
        ? []
        : [{ rule: 'I1', text: `record ${seq} leases ${n} of ${seat.count} seats` }];
    },
    'lease.ended': ({ id: lease, linger }) => {
      const id = this.#seatOfLease.get(String(lease)) ?? '';
      const seat = this.#seats.get(id);
      seat?.leases.delete(String(lease));
      // One that lingers is kept for whoever had it, and taken as far as everybody else is concerned.
      if (seat?.leases.size === 0 && linger === undefined) this.#seats.delete(id);
      return [];
    },
    'seat.freed': ({ id }) => {
      this.#seats.delete(String(id));
      return [];
    },
  };

  #check(entitlement: string, seq: number): Finding[] {
    let taken = 0;
    for (const seat of this.#seats.values()) if (seat.entitlement === entitlement) taken += seat.count;
    const capacity = this.#capacity.get(entitlement) ?? 0;
    return taken <= capacity
      ? []
      : [{ rule: 'I1', text: `record ${seq} takes seat ${taken} of ${entitlement}, which has ${capacity}` }];
  }
}
