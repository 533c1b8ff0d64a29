import { borrowEndsMs } from './evolve.js';
import { type Now, organisationOf, type State } from './state.js';

/** How far the wall clock may be behind the high-water mark before nothing more is granted (I5), ms. */
export const CLOCK_BEHIND_MS = 5 * 60_000;
/** How far it may be ahead of the steady one before somebody has to be asked, ms. Below lie leap seconds, slewing and a late NTP step. */
export const CLOCK_AHEAD_MS = 5 * 60_000;

/** How far the clock is trusted. `behind`: nothing is granted. `ahead`: it jumped while the server ran, and nothing ends by it (I5). */
export interface ClockReading {
  readonly state: 'trusted' | 'behind' | 'ahead';
  readonly wallMs: number;
  readonly steadyWallMs: number;
  readonly highWaterMs: number;
  /** 0 when trusted. */
  readonly offMs: number;
}

export function readClock(state: State, now: Now): ClockReading {
  const { wallMs, steadyWallMs } = now;
  const { highWaterMs } = organisationOf(state);
  const read = (is: ClockReading['state'], offMs: number): ClockReading => {
    return { wallMs, steadyWallMs, highWaterMs, state: is, offMs };
  };
  if (highWaterMs - wallMs > CLOCK_BEHIND_MS) return read('behind', highWaterMs - wallMs);
  if (wallMs - steadyWallMs > CLOCK_AHEAD_MS) return read('ahead', wallMs - steadyWallMs);
  return read('trusted', 0);
}

/** What would end at once if the wall clock were trusted as it is: for the person who is asked. */
export function endsIfAccepted(state: State, now: Now): { borrows: number; entitlements: number } {
  const { lease, entitlement } = state.tables;
  const over = (endMs: number): boolean => now.steadyWallMs < endMs && endMs <= now.wallMs;
  let [borrows, entitlements] = [0, 0];
  for (const row of lease.values()) if (row.claims.kind === 'borrow' && over(borrowEndsMs(row))) borrows += 1;
  for (const { claims, state: is } of entitlement.values())
    if ((is === 'active' || is === 'future') && over(claims.exp * 1000)) entitlements += 1;
  return { borrows, entitlements };
}
