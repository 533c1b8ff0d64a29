import { onlineWindowMs } from '@berth/protocol';
import type { Change } from '../changes.js';
import type { Command, Context, Decision } from '../commands.js';
import { type Restore, restoreOf } from '../restore.js';
import type { RestoreView } from '../restore-commands.js';
import { type Now, organisationOf, type State } from '../state.js';
import { endLingers } from './linger.js';

/** A new epoch, on a folder that was made of a backup (I9). */
export function restore(
  _state: State,
  { epoch, known, backupAtMs }: Command<'restore'>,
  { now }: Context,
): Decision<'restore'> {
  const restored: Restore = { cause: 'restored', atMs: now.wallMs, known, backupAtMs };
  return { ok: true, changes: [{ type: 'organisation.restored', epoch, restore: restored }], outcome: {} };
}

/**
 * The first server on a restored folder: only now the one before it has certainly stopped, so only now time counts. A folder may be kept
 * ready for weeks.
 */
export function beginRestore(
  state: State,
  _command: Command<'beginRestore'>,
  context: Context,
): Decision<'beginRestore'> {
  const known = restoreOf(state);
  if (known === undefined || known.begun !== undefined)
    return { ok: true, changes: [], outcome: { begun: false } };
  return { ok: true, changes: begin(state, context), outcome: { begun: true } };
}

/** D may be another in the next process, and after a reload. */
export function noteWindow(
  state: State,
  _command: Command<'noteWindow'>,
  { leaseSeconds }: Context,
): Decision<'noteWindow'> {
  const noted = organisationOf(state).leaseSeconds?.now !== leaseSeconds;
  return { ok: true, changes: noted ? [{ type: 'window.noted', leaseSeconds }] : [], outcome: { noted } };
}

function begin(state: State, { now, leaseSeconds }: Context): Change[] {
  const windowMs = onlineWindowMs(longestSeconds(state, leaseSeconds) * 1000);
  // A clock that is behind what was seen would let it end too early (I5).
  const atMs = Math.max(now.wallMs, organisationOf(state).highWaterMs);
  const products = [...state.tables.product.values()];
  return [
    // Somebody else may have had them since.
    ...products.flatMap(({ product }) => endLingers(state, product, 'pool changed')),
    { type: 'restore.begun', atMs, windowMs },
  ];
}

/** D of leases that nobody here knows of: the longest of what is configured, what was when they were granted, and what there is. */
function longestSeconds(state: State, configured: number): number {
  const { now = 0, before = 0 } = organisationOf(state).leaseSeconds ?? {};
  let longest = Math.max(configured, now, before);
  for (const { claims } of state.tables.lease.values())
    if (claims.kind === 'online') longest = Math.max(longest, claims.dur);
  return longest;
}

/** Stops granting as after a restore, unless what was shown is from before one that is known. */
export function rollBack(
  state: State,
  { epoch, known, shown, device }: Command<'rollBack'>,
  context: Context,
): Decision<'rollBack'> {
  if (isCovered(state, shown)) return { ok: true, changes: [], outcome: { entered: false } };
  const restored: Restore = { cause: 'rolledBack', atMs: context.now.wallMs, known, device };
  return {
    ok: true,
    changes: [{ type: 'organisation.restored', epoch, restore: restored }, ...begin(state, context)],
    outcome: { entered: true },
  };
}

/**
 * What another epoch signed before the last restore began is what that restore is careful about. A lease may be signed for a time that
 * has not begun, within one window (renew.ts).
 */
export function isCovered(state: State, shown: { readonly epoch: string; readonly iat: number }): boolean {
  const known = restoreOf(state);
  if (known === undefined || shown.epoch === organisationOf(state).epoch) return false;
  return known.begun === undefined || shown.iat * 1000 <= known.begun.atMs + known.begun.windowMs;
}

/** Somebody answers for it that nothing of before is out any more: from now on everything may be granted. */
export function acceptRestore(
  state: State,
  { by, reason }: Command<'acceptRestore'>,
  { now }: Context,
): Decision<'acceptRestore'> {
  const before = restoreView(state, now);
  if (before === null || before.accepted !== null)
    return { ok: true, changes: [], outcome: { changed: false, before } };
  const { email, device } = by;
  return {
    ok: true,
    changes: [{ type: 'restore.accepted', by: email, device, atMs: now.wallMs, reason }],
    outcome: { changed: true, before },
  };
}

/** `null`: it was never restored. */
export function restoreView(state: State, now: Now): RestoreView | null {
  const known = restoreOf(state);
  if (known === undefined) return null;
  const endsMs = state.restoreEndsMs.get('self');
  return {
    cause: known.cause,
    atMs: known.atMs,
    backupAtMs: known.backupAtMs ?? null,
    holding: known.windowOver !== true,
    holdingUntilMs: endsMs === undefined ? null : now.wallMs + Math.max(0, endsMs - now.monoMs),
    reserves: [...state.tables.reserve.values()],
    unseen: state.derived.unseen.size,
    missing: Object.entries(known.missing ?? {}).map(([entitlement, product]) => ({ entitlement, product })),
    accepted: known.accepted ?? null,
  };
}

/** True while clients are asked to show the leases they have. */
export function asksForLeases(state: State, now: Now): boolean {
  const view = restoreView(state, now);
  if (view === null) return false;
  return view.holding || view.reserves.length > 0 || view.unseen > 0 || view.missing.length > 0;
}

/** Who reads the server's key is in the journal before they have it. */
export function beginBackup(_state: State, { by }: Command<'beginBackup'>): Decision<'beginBackup'> {
  const { email, device } = by;
  return { ok: true, changes: [{ type: 'backup.begun', by: email, device }], outcome: {} };
}

export function noteBackup(
  _state: State,
  { seq, bytes, madeAtMs, by }: Command<'noteBackup'>,
  { now }: Context,
): Decision<'noteBackup'> {
  // None is made in the time to come: it would count as the last one until then.
  const backup = { atMs: Math.min(madeAtMs, now.wallMs), seq, bytes, by: by?.email ?? null };
  return { ok: true, changes: [{ type: 'backup.made', backup }], outcome: { backup } };
}
