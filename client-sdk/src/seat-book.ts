import {
  type ErrorCode,
  errors,
  limits,
  type ParamsOf,
  type PushParams,
  type Renewal,
} from '@berth/protocol';
import type { BerthError } from './errors.js';
import type { HeldSeat, SeatLease } from './seat.js';
import { onlineRight, type Reading } from './seat-clock.js';
import { type TokenCheck, tokenInvalid } from './token-check.js';

/** A renewal as it was asked for: the clocks just before the frame was sent, and its nonce. */
export interface RenewalRequest {
  readonly since: Reading;
  readonly nonce: string;
}

export interface Renewals {
  readonly leases: readonly Renewal[];
  readonly entitlements: readonly string[];
  readonly endorsements?: readonly string[] | undefined;
}

/** The online seats of one client, by lease: takes what the server says to the seat it is about. */
export class SeatBook {
  readonly #check: TokenCheck;
  readonly #byLease = new Map<string, HeldSeat>();
  readonly #revokedEarly = new Map<string, PushParams<'lease.revoked'>>();
  readonly intoBorrow: (seat: HeldSeat) => Promise<boolean>;

  /** @param intoBorrow makes a seat use a borrow of the same seat instead of its lease, if there is one */
  constructor(check: TokenCheck, intoBorrow: (seat: HeldSeat) => Promise<boolean>) {
    this.#check = check;
    this.intoBorrow = intoBorrow;
  }

  add(seat: HeldSeat): void {
    for (const id of seat.leaseIds) {
      this.#byLease.set(id, seat);
      const early = this.#revokedEarly.get(id);
      if (early !== undefined) this.revoked(early);
    }
    this.#revokedEarly.clear();
  }

  remove(leaseIds: readonly string[]): void {
    for (const id of leaseIds) this.#byLease.delete(id);
  }

  get seats(): HeldSeat[] {
    return [...new Set(this.#byLease.values())];
  }

  /** The seats that are still of use. */
  get live(): HeldSeat[] {
    return this.seats.filter(
      ({ kind, state }) => kind === 'online' && (state === 'held' || state === 'grace'),
    );
  }

  get liveLeaseIds(): string[] {
    return this.live.flatMap((seat) => seat.leaseIds);
  }

  /** The shortest D of the live seats, ms; `null` without any. */
  get shortestMs(): number | null {
    const live = this.live;
    return live.length === 0 ? null : Math.min(...live.map((seat) => seat.durationMs));
  }

  /** Time until the first live seat is lost if nothing is renewed, ms; infinite without any. */
  get remainingMs(): number {
    return Math.min(Number.POSITIVE_INFINITY, ...this.live.map((seat) => seat.remainingMs));
  }

  /** @returns the ids that the answer settles; a lease whose entitlement is not the one we have is resumed (PROTOCOL 5) */
  apply(renewals: Renewals, request: RenewalRequest): Set<string> {
    this.#check.learn(renewals);
    const settled = renewals.leases.filter((renewal) => this.#applyOne(renewal, request));
    return new Set(settled.map((renewal) => renewal.lease));
  }

  troubled(error: BerthError): void {
    for (const seat of this.live) seat.troubled(error);
  }

  /** What the next renewal says of seats that nobody uses, and that it was said. */
  tellIdle(): NonNullable<ParamsOf<'lease.renew'>['idle']> {
    return this.live.flatMap((seat) => {
      const seconds = seat.tellIdleSeconds();
      return seconds === null ? [] : seat.leaseIds.map((lease) => ({ lease, seconds }));
    });
  }

  revoked({ lease, reason, by, code = 'LEASE_REVOKED' }: PushParams<'lease.revoked'>): void {
    const { text, next } = errors[code];
    const message = reason === '' ? text : reason;
    const seat = this.#byLease.get(lease);
    if (seat === undefined) this.#rememberEarly({ lease, reason, by, code });
    seat?.lose({ code, message, hint: next, by: by === '' ? null : by }, true);
  }

  message({ lease, text, from }: PushParams<'admin.message'>): void {
    this.#byLease.get(lease)?.message(text, from);
  }

  warned({ lease, warning }: PushParams<'lease.warned'>): void {
    this.#byLease.get(lease)?.warned(lease, warning);
  }

  /** The push came before the answer that grants the lease (PROTOCOL 7.25). */
  #rememberEarly(push: PushParams<'lease.revoked'>): void {
    if (this.#revokedEarly.size < limits.leasesPerSession) this.#revokedEarly.set(push.lease, push);
  }

  #applyOne({ lease: id, token, code, warning }: Renewal, request: RenewalRequest): boolean {
    const seat = this.#byLease.get(id);
    const known = seat?.leases.find((lease) => lease.id === id);
    if (seat === undefined || known === undefined) return true;
    if (token !== undefined) {
      seat.warned(id, warning ?? null);
      return this.#renew(seat, known, token, request);
    }
    if (code === 'ENTITLEMENT_EXPIRED') seat.ending(id, code);
    if (code === 'LEASE_REVOKED' || code === 'IDLE_RELEASED') seat.lose(ended(code), true);
    if (code === 'LEASE_UNKNOWN') void this.#unknown(seat);
    return code !== undefined;
  }

  #renew(seat: HeldSeat, known: SeatLease, token: string, { since, nonce }: RenewalRequest): boolean {
    const verdict = this.#check.judge(token, { products: [known.product], kind: 'online', nonce });
    if (!verdict.ok) {
      seat.troubled(tokenInvalid(verdict.fault));
      return !otherEntitlement.has(verdict.fault);
    }
    const { claims, pair } = verdict.lease;
    if (claims.jti !== known.id || claims.n !== known.seats) seat.troubled(tokenInvalid('LEASE_OTHER_LEASE'));
    else seat.renewed({ ...known, seat: claims.seat, pair, right: onlineRight(since, claims.dur * 1000) });
    return true;
  }

  /** It ended on the server: borrowed by another process of this device, or gone. */
  async #unknown(seat: HeldSeat): Promise<void> {
    if (seat.state === 'released') return;
    if (!(await this.intoBorrow(seat))) seat.lose(ended('LEASE_UNKNOWN'), false);
  }
}

/** Faults of a lease that moved, or whose entitlement was prolonged, before we were shown the new one. */
const otherEntitlement = new Set(['ENTITLEMENT_MISSING', 'LEASE_OUTSIDE_ENTITLEMENT']);

function ended(code: ErrorCode) {
  const { text, next } = errors[code];
  return { code, message: text, hint: next, by: null };
}
