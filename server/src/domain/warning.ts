import { type LeaseWarning, limits } from '@berth/protocol';
import { windowMs } from './evolve.js';
import type { Entitlement, Lease, Now, ScheduledRelease, State } from './state.js';

/** What a plugin is told with a renewal of the end of its seat, the nearer one; `null`: none is known. */
export function warningOf(state: State, lease: Lease, entitlement: string, now: Now): LeaseWarning | null {
  const release = lease.release === undefined ? null : releaseWarning(lease.release, now);
  const end = endWarning(state, lease, entitlement, now);
  if (release === null || end === null) return release ?? end;
  return release.atMs <= end.atMs ? release : end;
}

/** What a plugin is told of a forced release that is set. */
export function releaseWarning({ atMs, by, reason }: ScheduledRelease, now: Now): LeaseWarning {
  return { code: 'LEASE_REVOKED', atMs, inMs: Math.max(0, atMs - now.steadyWallMs), reason, by };
}

/** The entitlement ends within the hour, and others have no room for all that is in use of it. */
function endWarning(state: State, lease: Lease, entitlement: string, now: Now): LeaseWarning | null {
  const row = state.tables.entitlement.get(entitlement)!;
  if (!endsSoon(row, now)) return null;
  const endMs = row.claims.exp * 1000;
  if (roomAfter(state, row) >= state.derived.usedByEntitlement.get(entitlement)) return null;
  // The last renewal is one window before the end; the right it gives lasts D (DESIGN 4: the hold is inside).
  const atMs = endMs - (windowMs(lease) - lease.claims.dur * 1000);
  const reason = 'The entitlement ends, and no other one has room for the seats in use.';
  return { code: 'ENTITLEMENT_EXPIRED', atMs, inMs: Math.max(0, atMs - now.wallMs), reason, by: null };
}

/** Whether there is a warning depends on more than the lease from then on: on what others have room for. */
export function endsSoon({ claims }: Entitlement, now: Now): boolean {
  return claims.exp * 1000 - now.wallMs <= limits.endWarningMs;
}

/** Free seats of entitlements that go on when this one ends. */
function roomAfter(state: State, { claims: old }: Entitlement): number {
  let room = 0;
  for (const id of state.derived.entitlementsByProduct.get(old.product)) {
    const { claims, removing } = state.tables.entitlement.get(id)!;
    if (id === old.jti || removing !== undefined || claims.nbf > old.exp || claims.exp <= old.exp) continue;
    room += Math.max(0, claims.seats - state.derived.usedByEntitlement.get(id));
  }
  return room;
}
