import type { LeaseClaims } from '@berth/protocol';
import type { Change } from '../changes.js';
import type { Command, Context } from '../commands.js';
import { isWithdrawn } from '../pending.js';
import { settingsOf } from '../pool-settings.js';
import { isActive, usageOf } from '../pools.js';
import { isHolding } from '../restore.js';
import type { Device, Lease, Linger, Product, Seat, State } from '../state.js';
import { shareKey } from '../state.js';
import { fits, sharedFree, Taken, type Term } from './choose.js';
import { grantLease } from './grant.js';

// A seat lingers: nobody has a right to it any more, but for a while only whoever had it may have it again. It counts as held.

/** Who finds a lingering seat again: whoever shares it, and where nobody shares, the same device. */
export function lingerKey({ share, product }: Product, device: string, email: string): string {
  return shareKey(share, product, device, email) ?? `${product} kept ${device}`;
}

/**
 * What a release leaves of the seat of an open lease: `null`, it is free at once. Only the last lease of a seat leaves something, and
 * only where the seat is one that would be granted again now.
 * @param ended the leases that the same command has ended before
 */
export function lingerOf(
  state: State,
  lease: Lease,
  ended: ReadonlySet<string>,
  { now }: Context,
): Linger | null {
  const seat = state.tables.seat.get(lease.claims.seat)!;
  const product = state.tables.product.get(seat.product)!;
  const { lingerSeconds: seconds } = settingsOf(product);
  const { jti } = lease.claims;
  if (seconds === null || lease.state !== 'open') return null;
  // I9: what a backup knew may have been given back before, and be somebody else's.
  if (isHolding(state) || seat.earlier === 'unseen') return null;
  for (const id of state.derived.leasesBySeat.get(seat.id)) if (id !== jti && !ended.has(id)) return null;
  const entitlement = state.tables.entitlement.get(seat.entitlement)!;
  // More are set aside than the shared ones leave: it goes to its new user now that it is free (PRODUCT.md, Words).
  const shared = seat.allocation !== null || (product.sharing && sharedFree(state, entitlement) >= 0);
  const withdrawn =
    isWithdrawn(state, seat.entitlement, seat.allocation) ||
    state.tables.user.get(seat.email)?.removing !== undefined;
  if (!isActive(entitlement, now) || !shared || withdrawn || usageOf(state, seat.product, now).over > 0)
    return null;
  return { seconds, key: lingerKey(product, seat.device, seat.email), lease: jti };
}

/** The seats that linger for one device of one user. */
export class Kept {
  readonly #state: State;
  readonly #seats: readonly Seat[];

  constructor(state: State, product: Product, device: Device) {
    this.#state = state;
    const key = lingerKey(product, device.id, device.email);
    this.#seats = [...state.derived.seatsByShareKey.get(key)]
      .map((id) => state.tables.seat.get(id)!)
      .filter((seat) => seat.linger?.key === key);
  }

  /** Gives the seats of one earlier checkout back if it was for as many; `null` when there are none such. */
  resume(
    seats: number,
    asker: { readonly device: Device; readonly nonce: string; readonly term: Term },
    context: Context,
  ): { changes: Change[]; leases: LeaseClaims[] } | null {
    const same = this.#groups().find((group) => this.#suits(group, seats, asker.term));
    if (same === undefined) return null;
    const [changes, leases]: [Change[], LeaseClaims[]] = [[], []];
    for (const seat of same) {
      const { change, claims } = grantLease(seat, seat.count, asker, context);
      const device = asker.device.id;
      changes.push({ type: 'seat.resumed', id: seat.id, device, takenAtMs: context.now.wallMs }, change);
      leases.push(claims);
    }
    return { changes, leases };
  }

  /** Whoever wants another number of seats gives these up for it: nobody is locked out by a seat of their own. */
  giveUp(): { readonly changes: Change[]; readonly taken: Taken } {
    const taken = new Taken();
    for (const { entitlement: id, allocation, count } of this.#seats) {
      taken.add({ entitlement: this.#state.tables.entitlement.get(id)!, allocation, count: -count });
    }
    return { changes: this.#seats.map((seat) => freed(seat, 'given up')), taken };
  }

  #groups(): Seat[][] {
    const groups = new Map<string, Seat[]>();
    for (const seat of this.#seats) groups.set(seat.group, [...(groups.get(seat.group) ?? []), seat]);
    return [...groups.values()];
  }

  #suits(group: readonly Seat[], seats: number, term: Term): boolean {
    const entitlements = group.map(({ entitlement }) => this.#state.tables.entitlement.get(entitlement)!);
    const { length: withdrawn } = group.filter(({ entitlement, allocation }) =>
      isWithdrawn(this.#state, entitlement, allocation),
    );
    return (
      withdrawn === 0 &&
      group.reduce((sum, { count }) => sum + count, 0) === seats &&
      entitlements.every((entitlement) => isActive(entitlement, term.now) && fits(entitlement, term))
    );
  }
}

type Why = Extract<Change, { type: 'seat.freed' }>['reason'];

export function freed({ id }: Seat, reason: Why): Change {
  return { type: 'seat.freed', id, reason };
}

/** Ends what lingers of a product: its pool became smaller, or does not let seats linger any more. */
export function endLingers(
  state: State,
  product: string,
  reason: Why,
  which: (seat: Seat) => boolean = () => true,
): Change[] {
  return [...state.derived.lingeringByProduct.get(product)]
    .map((id) => state.tables.seat.get(id)!)
    .filter(which)
    .map((seat) => freed(seat, reason));
}

/** Changes decided without knowing that some seats are freed first: those of them that charge such a seat are left out. */
export function afterFreeing(free: readonly Change[], changes: readonly Change[]): Change[] {
  const gone = new Set(free.flatMap((change) => (change.type === 'seat.freed' ? [change.id] : [])));
  return [...free, ...changes.filter((change) => change.type !== 'seat.charged' || !gone.has(change.id))];
}

/** Several decisions made on one state may end the same linger: once is enough. */
export function freedOnce(changes: readonly Change[]): Change[] {
  const gone = new Set<string>();
  return changes.filter((change) => {
    if (change.type !== 'seat.freed') return true;
    const first = !gone.has(change.id);
    gone.add(change.id);
    return first;
  });
}

/** Forced release of a seat that lingers, by its last lease: nobody has a right to it, so it is free at once. */
export function endLingerOf(state: State, command: Command<'revokeLease'>): Change | null {
  const seat = state.tables.seat.get(state.derived.lingerByLease.get(command.lease) ?? '');
  return seat === undefined ? null : freed(seat, 'forced');
}
