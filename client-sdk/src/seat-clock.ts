import type { Clock } from './host.js';
import { GRACE_FRACTION } from './timing.js';

/** One look at all clocks. */
export interface Reading {
  readonly monoMs: number;
  readonly wallMs: number;
  readonly uptimeMs: number | null;
}

export function readClock(clock: Clock): Reading {
  return { monoMs: clock.monoMs(), wallMs: clock.wallMs(), uptimeMs: clock.uptimeMs() };
}

/**
 * Time gone by between two readings, ms: the most that any clock says (I2). Monotonic clocks stand still in suspend, wall clocks
 * can be set back, and uptime is not everywhere: the largest errs towards giving a seat up too early.
 */
export function elapsedMs(since: Reading, now: Reading): number {
  const uptime = since.uptimeMs === null || now.uptimeMs === null ? 0 : now.uptimeMs - since.uptimeMs;
  return Math.max(now.monoMs - since.monoMs, now.wallMs - since.wallMs, uptime, 0);
}

/** How long one lease may be used, counted from a reading of this computer's clocks. */
export interface Right {
  readonly since: Reading;
  readonly durationMs: number;
  /** Renewal is overdue after this time, ms; `null` for a right that is not renewed (a borrow). */
  readonly graceAfterMs: number | null;
}

/** @param since just before the request was first sent, or the renewal was sent (I2). */
export function onlineRight(since: Reading, durationMs: number): Right {
  return { since, durationMs, graceAfterMs: durationMs * GRACE_FRACTION };
}

/** A borrow ends at a moment of the wall clock (I3); while it is in use here, setting that clock back does not prolong it. */
export function borrowRight(now: Reading, expiresAtMs: number): Right {
  return { since: now, durationMs: expiresAtMs - now.wallMs, graceAfterMs: null };
}

export type RightState = 'held' | 'grace' | 'lost';

/** The state of several rights that are only of use together: the worst of them. */
export function stateOf(rights: readonly Right[], now: Reading): RightState {
  let state: RightState = 'held';
  for (const right of rights) {
    const elapsed = elapsedMs(right.since, now);
    if (elapsed >= right.durationMs) return 'lost';
    if (right.graceAfterMs !== null && elapsed >= right.graceAfterMs) state = 'grace';
  }
  return state;
}

/** Time until the first of them ends, ms; zero or less when one has. */
export function remainingMs(rights: readonly Right[], now: Reading): number {
  return Math.min(...rights.map((right) => right.durationMs - elapsedMs(right.since, now)));
}

/** Time until `stateOf` can change by itself, ms. */
export function nextChangeMs(rights: readonly Right[], now: Reading): number {
  let nextMs = Number.POSITIVE_INFINITY;
  for (const { since, durationMs, graceAfterMs } of rights) {
    const elapsed = elapsedMs(since, now);
    const isGraceAhead = graceAfterMs !== null && elapsed < graceAfterMs;
    nextMs = Math.min(nextMs, durationMs - elapsed, isGraceAhead ? graceAfterMs - elapsed : nextMs);
  }
  return Math.max(0, nextMs);
}
