import { borrowFreeAtMs, onlineWindowMs } from '@berth/protocol';
import type { Change, ChangeType } from './changes.js';
import {
  isLive,
  trackAllocation,
  trackDevice,
  trackEntitlement,
  trackFormer,
  trackInvitation,
  trackLease,
  trackSeat,
  trackUser,
} from './derive.js';
import { nextNoticeMs } from './end-notices.js';
import { bulkEvolvers } from './evolve-bulk.js';
import { creditEvolvers } from './evolve-credits.js';
import { mailEvolvers } from './evolve-mail.js';
import { endReserve, reserveImported, restoreEvolvers } from './evolve-restore.js';
import type { Entitlement, Lease, Seat, State } from './state.js';
import type { Table } from './table.js';

type Evolver<T extends ChangeType> = (
  state: State,
  change: Extract<Change, { type: T }>,
  monoMs: number,
) => void;

/**
 * Applies one change: the only mutation there is. Cannot fail.
 * @param monoMs the monotonic clock: when the command was decided, or, in a replay, when the server started (I4).
 */
export function evolve(state: State, change: Change, monoMs: number): void {
  const evolver = evolvers[change.type] as Evolver<ChangeType>;
  evolver(state, change, monoMs);
}

const evolvers: { readonly [T in ChangeType]: Evolver<T> } = {
  'organisation.founded': (state, { organisation }) => state.tables.organisation.set('self', organisation),
  'organisation.renamed': (state, { name }) => {
    const organisation = known(state.tables.organisation, 'self');
    state.tables.organisation.set('self', { ...organisation, name });
  },
  'clock.seen': (state, { wallMs }) => {
    const organisation = known(state.tables.organisation, 'self');
    state.tables.organisation.set('self', {
      ...organisation,
      highWaterMs: Math.max(wallMs, organisation.highWaterMs),
    });
  },
  'clock.accepted': (state, { wallMs }) => {
    const organisation = known(state.tables.organisation, 'self');
    state.tables.organisation.set('self', { ...organisation, highWaterMs: wallMs });
  },
  'user.put': (state, { user }) => {
    trackUser(state, state.tables.user.get(user.email), user);
    state.tables.user.set(user.email, user);
    forget(state, user.email);
  },
  'user.removed': (state, { email }) => {
    trackUser(state, state.tables.user.get(email), undefined);
    state.tables.user.delete(email);
  },
  'former.kept': (state, { former }) => {
    forget(state, former.email);
    trackFormer(state, undefined, former);
    state.tables.formerUser.set(former.email, former);
  },
  'former.dropped': (state, { email }) => forget(state, email),
  'invitation.made': (state, { invitation }) => {
    trackInvitation(state, state.tables.invitation.get(invitation.id), invitation);
    state.tables.invitation.set(invitation.id, invitation);
  },
  'invitation.dropped': (state, { id }) => {
    trackInvitation(state, state.tables.invitation.get(id), undefined);
    state.tables.invitation.delete(id);
  },
  'machineToken.put': (state, { token }) => state.tables.machineToken.set(token.id, token),
  'device.enrolled': enrolDevice,
  'device.removed': (state, { id }) => {
    trackDevice(state, state.tables.device.get(id), undefined);
    state.tables.device.delete(id);
  },
  'product.put': (state, { product }) => state.tables.product.set(product.product, product),
  'endorsement.put': (state, { id, endorsement }) => state.tables.endorsement.set(id, endorsement),
  'entitlement.put': (state, { entitlement }) => {
    putEntitlement(state, entitlement);
    reserveImported(state, entitlement.claims);
  },
  'entitlement.state': (state, { id, state: next }) => {
    putEntitlement(state, ended({ ...known(state.tables.entitlement, id), state: next }));
    if (next === 'expired') endReserve(state, id);
  },
  'entitlement.removing': (state, { id, removing }) => {
    const { removing: _, ...entitlement } = known(state.tables.entitlement, id);
    putEntitlement(state, removing === null ? entitlement : { ...entitlement, removing });
  },
  'entitlement.warned': (state, { id, days }) =>
    putEntitlement(state, { ...known(state.tables.entitlement, id), warned: days }),
  'allocation.set': (state, { allocation }) => trackAllocation(state, allocation),
  'seat.taken': (state, { seat }) => {
    state.tables.seat.set(seat.id, seat);
    trackSeat(state, undefined, seat);
  },
  'seat.charged': (state, { id, entitlement, allocation }) =>
    replaceSeat(state, { ...known(state.tables.seat, id), entitlement, allocation }),
  'seat.resumed': (state, { id, device, takenAtMs }) => {
    const { linger: _linger, ...before } = known(state.tables.seat, id);
    replaceSeat(state, { ...before, device, takenAtMs });
    state.lingerEndsMs.delete(id);
  },
  'seat.freed': (state, { id }) => {
    trackSeat(state, known(state.tables.seat, id), undefined);
    state.tables.seat.delete(id);
    state.lingerEndsMs.delete(id);
  },
  'lease.granted': grantLease,
  'lease.revoked': (state, { id, by, reason, cause }) => {
    const before = known(state.tables.lease, id);
    const { release: _, ...rest } = before;
    const revoked = { by, reason };
    const after: Lease = { ...rest, state: 'revoked', revoked, ...(cause === undefined ? {} : { cause }) };
    state.idleSinceMs.delete(id);
    state.tables.lease.set(id, after);
    trackLease(state, before, after);
  },
  'lease.warned': (state, { id, release }) => {
    const lease = { ...known(state.tables.lease, id), release };
    state.tables.lease.set(id, lease);
    watchRelease(state, lease);
  },
  'lease.kept': (state, { id }) => {
    const { release: _, ...rest } = known(state.tables.lease, id);
    state.tables.lease.set(id, rest);
  },
  'lease.messaged': () => {},
  'lease.ended': endLease,
  'request.kept': (state, { request }, monoMs) => {
    state.tables.request.set(request.id, request);
    for (const lease of request.leases) state.derived.requestsByLease.set(lease, request.id);
    if (!request.leases.some((lease) => state.tables.lease.has(lease))) {
      state.monoQueue.push({ atMs: monoMs + request.keptMs, kind: 'request', id: request.id });
    }
  },
  'request.dropped': (state, { id }) => {
    for (const lease of state.tables.request.get(id)?.leases ?? [])
      state.derived.requestsByLease.delete(lease);
    state.tables.request.delete(id);
  },
  ...mailEvolvers,
  ...bulkEvolvers,
  ...creditEvolvers,
  ...restoreEvolvers,
  'session.superseded': () => {},
  'journal.checkpoint': () => {},
  'lease.renewed': (state, { id, idleMs }, monoMs) => {
    state.windowEndsMs.set(id, monoMs + windowMs(known(state.tables.lease, id)));
    if (idleMs === undefined) state.idleSinceMs.delete(id);
    else state.idleSinceMs.set(id, monoMs - idleMs);
  },
};

/** A change names only what exists: anything else is a broken invariant, and the process stops (DESIGN 1). */
function known<Row>(table: Table<Row>, id: string): Row {
  const row = table.get(id);
  if (row === undefined) throw new Error(`invariant: a change names ${id}, which does not exist`);
  return row;
}

/** Nobody is a member and was one: who comes back is no former one any more. */
function forget(state: State, email: string): void {
  const former = state.tables.formerUser.get(email);
  if (former === undefined) return;
  trackFormer(state, former, undefined);
  state.tables.formerUser.delete(email);
}

function enrolDevice(state: State, { device }: Extract<Change, { type: 'device.enrolled' }>): void {
  state.tables.device.set(device.id, device);
  trackDevice(state, undefined, device);
  if (device.machine !== undefined) {
    const token = known(state.tables.machineToken, device.invitation);
    state.tables.machineToken.set(token.id, { ...token, uses: token.uses + 1 });
  }
  const invitation = state.tables.invitation.get(device.invitation);
  if (invitation !== undefined) {
    state.tables.invitation.set(invitation.id, { ...invitation, usedBy: device.id });
  }
}

function putEntitlement(state: State, entitlement: Entitlement): void {
  const { claims } = entitlement;
  trackEntitlement(state, state.tables.entitlement.get(claims.jti), entitlement);
  state.tables.entitlement.set(claims.jti, entitlement);
  watchEntitlement(state, entitlement);
}

/** Puts what is to come of an entitlement on the wall clock. Also used when a state is loaded. */
export function watchEntitlement(state: State, entitlement: Entitlement): void {
  const { jti: id, nbf, exp } = entitlement.claims;
  if (entitlement.state === 'future')
    state.wallQueue.push({ atMs: nbf * 1000, kind: 'entitlement-start', id });
  if (isLive(entitlement)) state.wallQueue.push({ atMs: exp * 1000, kind: 'entitlement-end', id });
  const noticeMs = nextNoticeMs(entitlement);
  if (noticeMs !== null) state.wallQueue.push({ atMs: noticeMs, kind: 'entitlement-notice', id });
}

/** What has ended has nothing pending any more. */
function ended(entitlement: Entitlement): Entitlement {
  if (isLive(entitlement)) return entitlement;
  const { removing: _, ...rest } = entitlement;
  return rest;
}

function grantLease(
  state: State,
  { lease }: Extract<Change, { type: 'lease.granted' }>,
  monoMs: number,
): void {
  state.tables.lease.set(lease.claims.jti, lease);
  trackLease(state, undefined, lease);
  watchLease(state, lease, monoMs);
}

/** A forced release that was set lives on the wall clock: it is meant by the clock on the wall, and survives a restart. */
export function watchRelease(state: State, { claims, release }: Lease): void {
  if (release !== undefined)
    state.wallQueue.push({ atMs: release.atMs, kind: 'lease-release', id: claims.jti });
}

/** Puts a lease on the clock it lives on (I2, I3). Also used when a state is loaded: then from the start of the server (I4). */
export function watchLease(state: State, lease: Lease, monoMs: number): void {
  const id = lease.claims.jti;
  if (lease.claims.kind === 'borrow') {
    state.wallQueue.push({ atMs: borrowEndsMs(lease), kind: 'lease', id });
  } else {
    const atMs = monoMs + windowMs(lease);
    state.windowEndsMs.set(id, atMs);
    state.monoQueue.push({ atMs, kind: 'lease', id });
  }
}

function replaceSeat(state: State, after: Seat): void {
  const before = known(state.tables.seat, after.id);
  state.tables.seat.set(after.id, after);
  trackSeat(state, before, after);
}

/** Puts a lingering seat on the monotonic clock. Also used when a state is loaded: then once more from the start of the server. */
export function watchLinger(state: State, { id, linger }: Seat, monoMs: number): void {
  if (linger === undefined) return;
  const atMs = monoMs + linger.seconds * 1000;
  state.lingerEndsMs.set(id, atMs);
  state.monoQueue.push({ atMs, kind: 'linger', id });
}

function endLease(
  state: State,
  { id, linger }: Extract<Change, { type: 'lease.ended' }>,
  monoMs: number,
): void {
  const lease = known(state.tables.lease, id);
  if (linger !== undefined) {
    const kept = { ...known(state.tables.seat, lease.claims.seat), linger };
    replaceSeat(state, kept);
    watchLinger(state, kept, monoMs);
  }
  state.tables.lease.delete(id);
  state.windowEndsMs.delete(id);
  state.idleSinceMs.delete(id);
  trackLease(state, lease, undefined);
  const seat = known(state.tables.seat, lease.claims.seat);
  if (state.derived.leasesBySeat.get(seat.id).size === 0 && linger === undefined) {
    trackSeat(state, seat, undefined);
    state.tables.seat.delete(seat.id);
  }
  const request = state.tables.request.get(state.derived.requestsByLease.get(id) ?? '');
  if (request !== undefined && !request.leases.some((other) => state.tables.lease.has(other))) {
    const keptMs = lease.claims.kind === 'borrow' ? request.keptMs : windowMs(lease);
    state.monoQueue.push({ atMs: monoMs + keptMs, kind: 'request', id: request.id });
  }
}

/** W of a lease by its own D as stored with it, never by what is configured now (I2). */
export function windowMs(lease: Lease): number {
  return onlineWindowMs(lease.claims.dur * 1000);
}

/** When a borrowed seat is free by the wall clock, hold included (I3). */
export function borrowEndsMs(lease: Pick<Lease, 'claims' | 'holdMs'>): number {
  return borrowFreeAtMs(lease.claims.iat * 1000, lease.claims.exp * 1000) + (lease.holdMs ?? 0);
}
