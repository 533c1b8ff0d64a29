import type { EntitlementClaims } from '@berth/protocol';
import type { Change } from './changes.js';
import { trackReserve, trackSeat } from './derive.js';
import { type Reserve, type Restore, reserveFor } from './restore.js';
import { organisationOf, type Seat, type State } from './state.js';

type RestoreChangeType = Extract<
  Change['type'],
  | `restore.${string}`
  | `reserve.${string}`
  | `backup.${string}`
  | 'journal.pruned'
  | 'organisation.restored'
  | 'window.noted'
  | 'seat.shown'
  | 'seat.seen'
  | 'seat.grown'
>;

/** What follows from a restore (I9), evolve.ts. */
export const restoreEvolvers: {
  readonly [T in RestoreChangeType]: (
    state: State,
    change: Extract<Change, { type: T }>,
    monoMs: number,
  ) => void;
} = {
  'organisation.restored': (state, { epoch, restore }) => {
    state.tables.organisation.set('self', { ...organisationOf(state), epoch, restore });
    state.restoreEndsMs.clear();
  },
  'window.noted': (state, { leaseSeconds: now }) => {
    const organisation = organisationOf(state);
    const { leaseSeconds: last } = organisation;
    const before = last === undefined ? {} : { before: last.now };
    state.tables.organisation.set('self', { ...organisation, leaseSeconds: { now, ...before } });
  },
  'restore.begun': (state, { atMs, windowMs }, monoMs) => {
    putRestore(state, { begun: { atMs, windowMs } });
    for (const { id } of [...state.tables.reserve.values()].map((row) => ({ id: row.entitlement })))
      setReserve(state, id, null);
    // What was replaced lends nothing any more, and its borrows went to its heir. What was removed may have come back.
    for (const { claims, state: is } of state.tables.entitlement.values())
      if (is !== 'replaced' && claims.exp * 1000 > atMs)
        setReserve(state, claims.jti, reserveFor(claims, atMs));
    for (const seat of [...state.tables.seat.values()])
      if (state.derived.statusBySeat.get(seat.id) === 'borrowed')
        putSeat(state, { ...seat, earlier: 'unseen' });
      else if (seat.earlier !== undefined) forget(state, seat.id);
    watchRestore(state, monoMs);
  },
  'restore.windowOver': (state) => {
    putRestore(state, { windowOver: true });
    // A lease that is still there was renewed since: so its seat is in use, whatever became of the borrow of it.
    for (const id of [...state.derived.unseen]) if (hasOnline(state, id)) forget(state, id);
  },
  'restore.incomplete': (state, { entitlement, product }) =>
    putRestore(state, { missing: { ...organisationOf(state).restore?.missing, [entitlement]: product } }),
  'restore.accepted': (state, { by, atMs, reason }) => {
    putRestore(state, { windowOver: true, missing: {}, accepted: { by, atMs, reason } });
    for (const id of [...state.tables.reserve.keys()]) setReserve(state, id, null);
    for (const seat of [...state.tables.seat.values()])
      if (seat.earlier !== undefined) forget(state, seat.id);
  },
  'reserve.ended': (state, { id }) => setReserve(state, id, null),
  'seat.shown': (state, { id }) => putSeat(state, { ...state.tables.seat.get(id)!, earlier: 'shown' }),
  'seat.seen': (state, { id }) => forget(state, id),
  'seat.grown': (state, { id, count }) => putSeat(state, { ...state.tables.seat.get(id)!, count }),
  'backup.begun': () => {},
  'backup.made': (state, { backup }) => {
    state.tables.organisation.set('self', { ...organisationOf(state), backup });
  },
  'journal.pruned': (state, { pruned }) => {
    state.tables.organisation.set('self', { ...organisationOf(state), pruned });
  },
};

/** An entitlement that comes after a restore, or comes back: borrows from it may be out as well. */
export function reserveImported(state: State, claims: EntitlementClaims): void {
  const restore = state.tables.organisation.get('self')?.restore;
  if (restore?.begun === undefined || restore.accepted !== undefined) return;
  if (restore.missing?.[claims.jti] !== undefined) {
    const { [claims.jti]: _, ...missing } = restore.missing;
    putRestore(state, { missing });
  }
  const own = state.tables.reserve.get(claims.jti);
  const heir = claims.replaces === undefined ? undefined : state.tables.reserve.get(claims.replaces);
  const row = reserveFor(claims, restore.begun.atMs, joined(own, heir));
  if (heir !== undefined) setReserve(state, heir.entitlement, null);
  if (row !== null && row.untilMs > restore.begun.atMs) setReserve(state, claims.jti, row);
}

/** What has expired has nothing out any more: a borrow lies inside its entitlement, hold included (DESIGN 4). */
export function endReserve(state: State, entitlement: string): void {
  setReserve(state, entitlement, null);
}

/** Puts the time in which nothing is granted on the monotonic clock. Also used when a state is loaded: then once more from there. */
export function watchRestore(state: State, monoMs: number): void {
  const restore = state.tables.organisation.get('self')?.restore;
  if (restore?.begun === undefined || restore.windowOver === true) return;
  const atMs = monoMs + restore.begun.windowMs;
  state.restoreEndsMs.set('self', atMs);
  state.monoQueue.push({ atMs, kind: 'restore-window', id: 'self' });
}

export function watchReserve(state: State, { entitlement, untilMs }: Reserve): void {
  state.wallQueue.push({ atMs: untilMs, kind: 'reserve', id: entitlement });
}

function putRestore(state: State, more: Partial<Restore>): void {
  const organisation = organisationOf(state);
  if (organisation.restore === undefined) throw new Error('invariant: nothing was restored');
  if (more.windowOver === true) state.restoreEndsMs.clear();
  state.tables.organisation.set('self', {
    ...organisation,
    restore: { ...organisation.restore, ...more },
  });
}

function setReserve(state: State, id: string, after: Reserve | null): void {
  const before = state.tables.reserve.get(id);
  trackReserve(state, before, after ?? undefined);
  if (after === null) {
    if (before !== undefined) state.tables.reserve.delete(id);
    return;
  }
  state.tables.reserve.set(id, after);
  watchReserve(state, after);
}

function joined(own: Reserve | undefined, heir: Reserve | undefined): Reserve | undefined {
  if (own === undefined || heir === undefined) return own ?? heir;
  return { ...own, seats: own.seats + heir.seats, untilMs: Math.max(own.untilMs, heir.untilMs) };
}

function hasOnline(state: State, seat: string): boolean {
  return [...state.derived.leasesBySeat.get(seat)].some(
    (id) => state.tables.lease.get(id)!.claims.kind === 'online',
  );
}

function forget(state: State, id: string): void {
  const { earlier: _, ...seat } = state.tables.seat.get(id)!;
  putSeat(state, seat);
}

function putSeat(state: State, after: Seat): void {
  const before = state.tables.seat.get(after.id)!;
  state.tables.seat.set(after.id, after);
  trackSeat(state, before, after);
}
