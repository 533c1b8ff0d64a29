import type { LeaseClaims } from '@berth/protocol';
import type { Change } from '../changes.js';
import type { Command, Context, Decision } from '../commands.js';
import { isActive, usageOf } from '../pools.js';
import { restoreOf } from '../restore.js';
import {
  allocationId,
  type Device,
  type Lease,
  organisationOf,
  type Seat,
  type State,
  shareKey,
} from '../state.js';
import { Tally } from '../table.js';
import { sharedFree } from './choose.js';
import { deviceOf } from './grant.js';
import { isCovered } from './restore.js';

/**
 * After a restore a device shows what this server signed for it before (I9). What the state knows is proved by it; what it does not know is
 * a seat in use from now on, never beyond what is owned (I1). A token that cannot be in use any more is nobody's right.
 */
export function readmit(state: State, command: Command<'readmit'>, context: Context): Decision<'readmit'> {
  const device = deviceOf(state, command.by);
  if ('ok' in device) return device;
  const admission = new Admission(state, device, context);
  const [admitted, refused]: [string[], string[]] = [[], []];
  for (const claims of command.leases) (admission.admit(claims) ? admitted : refused).push(claims.jti);
  return { ok: true, changes: admission.changes, outcome: { admitted, refused } };
}

/** Entitlements that are noted as missing; each is one that a vendor signed for this server. */
const MOST_MISSING = 1000;

/** What one device shows at once: each lease is judged on what those before it led to. */
class Admission {
  readonly changes: Change[] = [];
  readonly #state: State;
  readonly #device: Device;
  readonly #context: Context;
  /** Seats as they will be; those that are not here are as in the state. */
  readonly #seats = new Map<string, Seat>();
  /** Leases and proofs of this command. */
  readonly #done = new Set<string>();
  readonly #used = new Tally();
  readonly #missing = new Set<string>();

  constructor(state: State, device: Device, context: Context) {
    this.#state = state;
    this.#device = device;
    this.#context = context;
  }

  admit(claims: LeaseClaims): boolean {
    const { jti } = claims;
    if (this.#done.has(jti)) return true;
    const known = this.#state.tables.lease.get(jti);
    const isOpen = known === undefined && this.#isOpen(claims);
    const admitted = known === undefined ? isOpen && this.#add(claims) : this.#prove(known);
    if (isOpen) this.#judge(claims);
    if (admitted) this.#done.add(jti);
    return admitted;
  }

  /** This server signed it, and could not have by the entitlements that are here: one was imported after the backup, and more may be out. */
  #judge({ ent, product, kind, dur }: LeaseClaims): void {
    const claims = this.#state.tables.entitlement.get(ent)?.claims;
    const isHere = claims !== undefined && (kind === 'online' || dur <= (claims.borrow?.maxSeconds ?? 0));
    const known = restoreOf(this.#state)?.missing ?? {};
    if (
      isHere ||
      known[ent] !== undefined ||
      this.#missing.has(ent) ||
      Object.keys(known).length >= MOST_MISSING
    )
      return;
    this.#missing.add(ent);
    this.changes.push({ type: 'restore.incomplete', entitlement: ent, product });
  }

  /** It was borrowed when the backup was made, and is now: so it was all the time. */
  #prove({ claims, device }: Lease): boolean {
    if (device !== this.#device.id) return false;
    const seat = this.#seat(claims.seat)!;
    if (claims.kind === 'borrow' && seat.earlier === 'unseen') this.#mark(seat, 'shown');
    return true;
  }

  #isOpen({ epoch, iat, exp, dev }: LeaseClaims): boolean {
    const { now } = this.#context;
    const from = { epoch, iat };
    const isFromBefore = epoch !== organisationOf(this.#state).epoch && isCovered(this.#state, from);
    return (
      isFromBefore &&
      restoreOf(this.#state)?.begun !== undefined &&
      dev === this.#device.leaseKey &&
      exp * 1000 > now.wallMs
    );
  }

  #add(claims: LeaseClaims): boolean {
    const seat = this.#seat(claims.seat);
    if (!(seat === undefined ? this.#take(claims) : this.#join(claims, seat))) return false;
    const { id: device, email } = this.#device;
    // A borrow that a file brought is held for longer than its token says (I3): what is kept back of its entitlement sees to that.
    const lease: Lease = { claims, device, email, state: 'open', grantedAtMs: claims.iat * 1000 };
    this.changes.push({ type: 'lease.granted', lease });
    return true;
  }

  /** The seat is not here either. */
  #take({ ent, product, seat: id, n, iat, kind }: LeaseClaims): boolean {
    const allocation = this.#room(ent, product, n);
    if (allocation === undefined) return false;
    const { id: device, email } = this.#device;
    const { share } = this.#state.tables.product.get(product)!;
    const seat: Seat = {
      id,
      group: this.#context.newId('g'),
      product,
      entitlement: ent,
      count: n,
      allocation,
      email,
      device,
      shareKey: shareKey(share, product, device, email),
      takenAtMs: iat * 1000,
      ...(kind === 'borrow' ? { earlier: 'shown' } : {}),
    };
    this.changes.push({ type: 'seat.taken', seat });
    this.#seats.set(id, seat);
    this.#count(seat, n);
    return true;
  }

  /** Another lease of the same seat is known, or was shown before. */
  #join({ ent, product, n, kind }: LeaseClaims, seat: Seat): boolean {
    // A seat that moved since is charged where the state says; a borrow is bound to the entitlement its token names.
    if (seat.product !== product || (kind === 'borrow' && seat.entitlement !== ent)) return false;
    const more = n - seat.count;
    if (more > 0) {
      if (this.#room(seat.entitlement, product, more, seat.allocation) === undefined) return false;
      this.changes.push({ type: 'seat.grown', id: seat.id, count: n });
      this.#seats.set(seat.id, { ...seat, count: n });
      this.#count(seat, more);
    }
    if (seat.linger !== undefined) this.#resume(this.#seat(seat.id)!);
    const grown = this.#seat(seat.id)!;
    if (kind === 'borrow' && grown.earlier !== 'shown') this.#mark(grown, 'shown');
    if (kind === 'online' && grown.earlier === 'unseen') this.#mark(grown, undefined);
    return true;
  }

  /** It was given back here; the borrow of it was not. */
  #resume({ linger: _, ...seat }: Seat): void {
    const { id: device } = this.#device;
    this.changes.push({ type: 'seat.resumed', id: seat.id, device, takenAtMs: seat.takenAtMs });
    this.#seats.set(seat.id, { ...seat, device });
  }

  #mark({ earlier: _, ...seat }: Seat, earlier: 'shown' | undefined): void {
    this.changes.push({ type: earlier === 'shown' ? 'seat.shown' : 'seat.seen', id: seat.id });
    this.#seats.set(seat.id, earlier === undefined ? seat : { ...seat, earlier });
  }

  /**
   * The allocation that can bear so many more, `null`: the shared seats; `undefined`: there is no room (I1).
   * @param charged where a seat is charged that grows: it grows there or not at all
   */
  #room(ent: string, product: string, count: number, charged?: string | null): string | null | undefined {
    const { tables, derived } = this.#state;
    const entitlement = tables.entitlement.get(ent);
    if (entitlement?.claims.product !== product || !isActive(entitlement, this.#context.now))
      return undefined;
    const { owned, taken } = usageOf(this.#state, product, this.#context.now);
    if (taken + this.#used.get(product) + count > owned) return undefined;
    if (derived.usedByEntitlement.get(ent) + this.#used.get(ent) + count > entitlement.claims.seats)
      return undefined;
    const id = charged ?? allocationId(this.#device.email, ent);
    const { quantity = 0 } = charged === null ? {} : (tables.allocation.get(id) ?? {});
    if (derived.usedByAllocation.get(id) + this.#used.get(id) + count <= quantity) return id;
    if (typeof charged === 'string') return undefined;
    return this.#used.get(`${ent} shared`) + count <= sharedFree(this.#state, entitlement) ? null : undefined;
  }

  #count({ product, entitlement, allocation }: Seat, count: number): void {
    for (const key of [product, entitlement, allocation ?? `${entitlement} shared`])
      this.#used.add(key, count);
  }

  #seat(id: string): Seat | undefined {
    return this.#seats.get(id) ?? this.#state.tables.seat.get(id);
  }
}
