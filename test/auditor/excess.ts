import type { Evidence, Finding, LeaseSeen } from './evidence.js';
import { type Change, DECIDED_AHEAD } from './journal-entry.js';
import type { EntitlementRow, Ledger, SeatRow } from './ledger.js';

/**
 * I1, while capacity is below use: the excess only shrinks. An entitlement that shrank goes on for as many seats as it has: those that are borrowed (I8),
 * then the oldest. Whatever else is on it runs out: no lease of it is renewed from that entitlement. So the journal says only which seats there
 * are; which of them may go on is judged here.
 */
export class Excess {
  /** Renewals by the record that they name. */
  readonly #renewals = new Map<number, LeaseSeen[]>();
  /** Those that were right by what there was at one of the records that they may rest on. */
  readonly #right = new Set<LeaseSeen>();
  /** Entitlements that may have fewer seats than are taken from them: others are not looked at. */
  readonly #shrunk = new Set<string>();
  #lastSeq = 0;

  constructor({ leases }: Pick<Evidence, 'leases'>) {
    for (const seen of leases) {
      const { seq, kind } = seen.token.claims;
      if (kind === 'online') this.#renewals.set(seq, [...(this.#renewals.get(seq) ?? []), seen]);
    }
  }

  /** Before a change is applied. */
  before(ledger: Ledger, { type, entitlement }: Change): void {
    if (type !== 'entitlement.put') return;
    const { claims } = entitlement as EntitlementRow;
    const had = ledger.entitlements.get(claims.jti)?.claims.seats ?? 0;
    if (claims.seats < had || claims.replaces !== undefined) this.#shrunk.add(claims.jti);
  }

  /** When a record is whole. */
  after(ledger: Ledger, seq: number): void {
    this.#lastSeq = seq;
    for (let named = Math.max(0, seq - DECIDED_AHEAD); named <= seq; named++)
      for (const seen of this.#renewals.get(named) ?? [])
        if (!this.#isBeyond(ledger, seen)) this.#right.add(seen);
  }

  findings(): Finding[] {
    return [...this.#renewals].flatMap(([seq, renewals]) =>
      seq > this.#lastSeq
        ? []
        : renewals
            .filter((seen) => !this.#right.has(seen))
            .map(
              ({ token: { claims }, answer: { process, t } }): Finding => ({
                rule: 'I1',
                text: `${process} got lease ${claims.jti} renewed at ${Math.round(t)} ms: at record ${seq} its seat ${claims.seat} was beyond those that ${claims.ent} had after it shrank`,
              }),
            ),
    );
  }

  #isBeyond(ledger: Ledger, { token: { claims } }: LeaseSeen): boolean {
    if (!this.#shrunk.has(claims.ent)) return false;
    const [granted, seat] = [ledger.leases.get(claims.jti)?.claims, ledger.seats.get(claims.seat)];
    // A grant is judged by the record that it is in; what has ended or moved meanwhile, by the rules about that.
    if (granted === undefined || granted.nonce === claims.nonce || seat?.entitlement !== claims.ent)
      return false;
    const has = ledger.entitlements.get(claims.ent)?.claims.seats ?? 0;
    let goOn = 0;
    for (const other of ledger.seats.values())
      if (other.entitlement === claims.ent && (other === seat || isBefore(ledger, other, seat)))
        goOn += other.count;
    return goOn > has;
  }
}

function isBefore(ledger: Ledger, a: SeatRow, b: SeatRow): boolean {
  const rank = (seat: SeatRow): number => (ledger.isBorrowed(seat) ? 0 : 1);
  const order = rank(a) - rank(b) || a.takenAtMs - b.takenAtMs;
  return order < 0 || (order === 0 && a.id < b.id);
}
