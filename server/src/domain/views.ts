import {
  type AllocationInfo,
  type DeviceInfo,
  type EntitlementInfo,
  endNoticeOf,
  formatDay,
  type LeaseInfo,
  lastDay,
  type MemberInfo,
} from '@berth/protocol';
import { accessOf, grantOf, spentOf, spentUntil } from './credits.js';
import { leaseFreeAtMs, seatFreeAtMs } from './decide/denial.js';
import { windowMs } from './evolve.js';
import { holderName } from './machines.js';
import { borrowsOnAllocation, pendingInfo } from './pending.js';
import { isActive } from './pools.js';
import {
  type Allocation,
  allocationId,
  type Device,
  type Entitlement,
  type FormerUser,
  type Lease,
  type Now,
  type Seat,
  type State,
  type User,
} from './state.js';

const dayMs = 86_400_000;

export function entitlementInfo(
  state: State,
  { claims, state: stored, removing }: Entitlement,
  now: Now,
): EntitlementInfo {
  const endMs = claims.exp * 1000;
  const daysLeft = Math.max(0, Math.ceil((endMs - now.wallMs) / dayMs));
  const is = stored === 'future' && isActive({ claims, state: stored, token: '' }, now) ? 'active' : stored;
  const notice = is === 'active' ? endNoticeOf(daysLeft) : null;
  return {
    id: claims.jti,
    rev: claims.rev,
    product: claims.product,
    vendor: claims.iss,
    seats: claims.seats,
    allocated: state.derived.allocated.get(claims.jti),
    from: formatDay(claims.nbf * 1000),
    until: lastDay(endMs),
    daysLeft,
    ...(notice === null ? {} : { notice }),
    state: is,
    share: claims.share,
    borrow: claims.borrow ?? null,
    earlyReturn: claims.earlyReturn,
    holder: claims.holder ?? null,
    ...(removing === undefined
      ? {}
      : { removing: pendingInfo(state, removing, state.derived.seatsByEntitlement.get(claims.jti), now) }),
    ...(claims.credits === undefined
      ? {}
      : { credits: { bought: claims.credits, spent: spentOf(state, claims.jti) } }),
    display: claims.display,
  };
}

export function allocationInfo(
  state: State,
  { email, entitlement, quantity, revoking }: Allocation,
  now: Now,
): AllocationInfo {
  const { claims } = state.tables.entitlement.get(entitlement)!;
  const id = allocationId(email, entitlement);
  const borrowed = state.derived.borrowedByAllocation.get(id);
  return {
    email,
    product: claims.product,
    entitlement,
    quantity,
    inUse: state.derived.usedByAllocation.get(id) - borrowed,
    borrowed,
    expires: lastDay(claims.exp * 1000),
    personal: claims.holder !== undefined,
    ...(revoking === undefined ? {} : { revoking: revokingInfo(state, email, entitlement, revoking, now) }),
  };
}

function revokingInfo(
  state: State,
  email: string,
  entitlement: string,
  revoking: NonNullable<Allocation['revoking']>,
  now: Now,
): NonNullable<AllocationInfo['revoking']> {
  const waitedFor = borrowsOnAllocation(state, email, entitlement).map(({ id }) => id);
  return { ...pendingInfo(state, revoking, waitedFor, now), seats: revoking.seats };
}

/**
 * False for a borrow that was extended: its device has another one of the seat that lasts longer. It is a lease until its own end (I1), but
 * nobody is told of one seat several times.
 */
export function isLasting(state: State, lease: Lease): boolean {
  if (lease.claims.kind !== 'borrow') return true;
  return [...state.derived.leasesBySeat.get(lease.claims.seat)].every((id) => {
    const other = state.tables.lease.get(id)!;
    if (other === lease || other.claims.kind !== 'borrow' || other.device !== lease.device) return true;
    return (
      other.claims.exp < lease.claims.exp || (other.claims.exp === lease.claims.exp && id < lease.claims.jti)
    );
  });
}

export function leaseInfo(state: State, lease: Lease, now: Now): LeaseInfo {
  const { claims } = lease;
  const seat = state.tables.seat.get(claims.seat)!;
  const freeAtMs = leaseFreeAtMs(state, lease, now);
  const expiresAtMs =
    claims.kind === 'borrow' ? claims.exp * 1000 : freeAtMs - (windowMs(lease) - claims.dur * 1000);
  return {
    id: claims.jti,
    seat: seat.id,
    product: claims.product,
    entitlement: seat.entitlement,
    seats: claims.n,
    kind: claims.kind,
    state: lease.state === 'open' ? 'open' : 'held',
    user: holderName(state, lease.email, lease.device),
    device: state.tables.device.get(lease.device)?.name ?? lease.device,
    allocated: seat.allocation !== null,
    sinceMs: lease.grantedAtMs,
    expiresAtMs: Math.max(0, expiresAtMs),
    freeAtMs,
    releaseAtMs: lease.release?.atMs ?? null,
  };
}

/** A seat that lingers, under the name of its last lease. */
export function lingeringInfo(state: State, seat: Seat, now: Now): LeaseInfo {
  const freeAtMs = seatFreeAtMs(state, seat.id, now);
  return {
    id: seat.linger?.lease ?? seat.id,
    seat: seat.id,
    product: seat.product,
    entitlement: seat.entitlement,
    seats: seat.count,
    kind: 'online',
    state: 'lingering',
    user: holderName(state, seat.email, seat.device),
    device: state.tables.device.get(seat.device)?.name ?? seat.device,
    allocated: seat.allocation !== null,
    sinceMs: seat.takenAtMs,
    expiresAtMs: now.wallMs,
    freeAtMs,
    releaseAtMs: null,
  };
}

/** @param until credits count up to the end of this day; `null`: all */
export function memberInfo(
  state: State,
  user: User | FormerUser,
  now: Now,
  until: string | null = null,
): MemberInfo {
  const { email, name, role, state: is } = user;
  const { aliases = [], removing } = user.state === 'removed' ? {} : user;
  const seats = state.derived.seatsByUser.get(email);
  return {
    email,
    name,
    role,
    state: is,
    aliases: [...aliases],
    ...(removing === undefined ? {} : { removing: pendingInfo(state, removing, seats, now) }),
    ...(user.state === 'removed' ? { removed: user.removed } : {}),
    devices: state.derived.devicesByUser.get(email).size,
    products: productsOf(state, email),
    credits: { ...accessOf(grantOf(state, email)), spent: spentUntil(state, email, until) },
  };
}

/** Leases of one device. The seats of its user are looked through: nobody has many. */
export function leasesOf(state: State, { id: device, email }: Device): Lease[] {
  return [...state.derived.seatsByUser.get(email)]
    .flatMap((seat) => [...state.derived.leasesBySeat.get(seat)])
    .map((id) => state.tables.lease.get(id)!)
    .filter((lease) => lease.device === device);
}

export function deviceInfo(state: State, device: Device): DeviceInfo {
  const { id, name, enrolledAtMs, adminKey } = device;
  const leases = leasesOf(state, device).filter((lease) => isLasting(state, lease));
  const borrows = leases.filter(({ claims }) => claims.kind === 'borrow').length;
  const scopes: DeviceInfo['scopes'] = adminKey === null ? ['lease'] : ['lease', 'admin'];
  return { id, name, enrolledAtMs, scopes, leases: leases.length, borrows };
}

/** Products with seats allocated to a user, by name. */
export function productsOf(state: State, email: string): { product: string; quantity: number }[] {
  const sums = new Map<string, number>();
  for (const id of state.derived.allocationsByUser.get(email)) {
    const { entitlement, quantity } = state.tables.allocation.get(id)!;
    const { claims } = state.tables.entitlement.get(entitlement)!;
    sums.set(claims.product, (sums.get(claims.product) ?? 0) + quantity);
  }
  return [...sums]
    .map(([product, quantity]) => ({ product, quantity }))
    .sort((a, b) => (a.product < b.product ? -1 : 1));
}
