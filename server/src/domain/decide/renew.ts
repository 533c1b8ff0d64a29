import type { LeaseClaims } from '@berth/protocol';
import { type Change, isVolatile } from '../changes.js';
import type { Command, Context, Decision, RenewedLease } from '../commands.js';
import { isActive } from '../pools.js';
import type { Entitlement, Lease, Seat, State } from '../state.js';
import { endsSoon, warningOf } from '../warning.js';
import { beginsSoon, fits, relocate, Taken, type Term } from './choose.js';
import { Idleness } from './idle.js';

/**
 * Renews leases of one device. Only their windows move, in memory (I4). A seat whose entitlement ends too soon, or shrank below use,
 * moves to another one if that has room, by a journaled change; if none has, the lease runs out by itself (DESIGN 4, I1).
 */
export function renew(state: State, command: Command<'renew'>, context: Context): Decision<'renew'> {
  const idle = new Idleness(state, command, context);
  const changes: Change[] = idle.takeBack();
  const homes = new Map<string, string | null>();
  const taken = new Taken();
  const leases = command.leases.map((id): RenewedLease => {
    const lease = state.tables.lease.get(id);
    if (lease === undefined || lease.device !== command.by.device || lease.claims.kind !== 'online') {
      return { lease: id, code: 'LEASE_UNKNOWN' };
    }
    if (lease.state === 'revoked')
      return { lease: id, code: lease.cause === 'idle' ? 'IDLE_RELEASED' : 'LEASE_REVOKED' };
    if (idle.took(lease)) return { lease: id, code: 'IDLE_RELEASED' };
    const seat = state.tables.seat.get(lease.claims.seat)!;
    if (!homes.has(seat.id)) homes.set(seat.id, homeOf(state, seat, taken, changes, context));
    const home = homes.get(seat.id) ?? null;
    if (home === null) return { lease: id, code: 'ENTITLEMENT_EXPIRED' };
    changes.push({ type: 'lease.renewed', id, ...idle.report(id) });
    const warning = warningOf(state, lease, home, context.now);
    const claims = renewedClaims(lease, state.tables.entitlement.get(home)!, command.nonce, context);
    return { lease: id, claims, ...(warning === null ? {} : { warning }) };
  });
  const moved = leases.some(
    (row) => 'claims' in row && row.claims.ent !== state.tables.lease.get(row.lease)!.claims.ent,
  );
  const saw = changes.every(isVolatile) ? seenOf(state, leases, context) : null;
  return { ok: true, changes, outcome: { leases, moved }, ...(saw === null ? {} : { saw }) };
}

/** What a renewal of leases that go on where they are rests on; `null`: more than their own rows, as a refusal and a warning do. */
function seenOf(state: State, leases: readonly RenewedLease[], { now }: Context): string[] | null {
  const saw: string[] = [];
  for (const row of leases) {
    if (!('claims' in row) || endsSoon(state.tables.entitlement.get(row.claims.ent)!, now)) return null;
    saw.push(row.lease, row.claims.seat, row.claims.ent);
  }
  return saw;
}

function renewedClaims(
  lease: Lease,
  { claims: { jti: ent, nbf } }: Entitlement,
  nonce: string,
  context: Context,
): LeaseClaims {
  // One that has not begun (choose.ts, successors) signs for the time from its beginning.
  const iat = Math.max(nbf, Math.floor(context.now.wallMs / 1000));
  return { ...lease.claims, ent, nonce, iat, exp: iat + lease.claims.dur, ...context.witness };
}

/** The entitlement that carries the seat from now on; `null` when none has a whole window left and room for it. */
function homeOf(state: State, seat: Seat, taken: Taken, changes: Change[], context: Context): string | null {
  const term: Term = { kind: 'online', seconds: longestSeconds(state, seat), now: context.now };
  const own = state.tables.entitlement.get(seat.entitlement)!;
  const lasts = beginsSoon(own, term) || (isActive(own, context.now) && fits(own, term));
  if (lasts && isCovered(state, own, seat)) return seat.entitlement;
  // A borrow is bound to the entitlement its token names until it ends.
  if (state.derived.statusBySeat.get(seat.id) === 'borrowed') return null;
  const wish = { ...term, product: seat.product, email: seat.email, seats: seat.count };
  const pick = relocate(state, wish, seat.entitlement, taken);
  if (pick === null) return null;
  const entitlement = pick.entitlement.claims.jti;
  changes.push({ type: 'seat.charged', id: seat.id, entitlement, allocation: pick.allocation });
  return entitlement;
}

/** The leases of a seat move and end together: the longest D decides. */
function longestSeconds(state: State, seat: Seat): number {
  let longest = 0;
  for (const id of state.derived.leasesBySeat.get(seat.id)) {
    const { claims } = state.tables.lease.get(id)!;
    if (claims.kind === 'online') longest = Math.max(longest, claims.dur);
  }
  return longest;
}

/** False for the seats beyond what an entitlement has after it shrank: borrowed ones stay (I8), then the oldest. */
function isCovered(state: State, { claims }: Entitlement, seat: Seat): boolean {
  if (state.derived.usedByEntitlement.get(claims.jti) <= claims.seats) return true;
  const rank = (each: Seat): number => (state.derived.statusBySeat.get(each.id) === 'borrowed' ? 0 : 1);
  const seats = [...state.derived.seatsByEntitlement.get(claims.jti)].map((id) => state.tables.seat.get(id)!);
  seats.sort((a, b) => rank(a) - rank(b) || a.takenAtMs - b.takenAtMs || (a.id < b.id ? -1 : 1));
  let covered = 0;
  for (const each of seats) {
    covered += each.count;
    if (each.id === seat.id) return covered <= claims.seats;
  }
  return false;
}
