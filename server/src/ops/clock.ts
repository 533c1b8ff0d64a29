/** The only place in the server that reads a clock. Everything else is given a {@link Clock} or a reading of one. */

import { CLOCK_DRIFT_RHO } from '@berth/protocol';

/** One reading of both clocks, in integer milliseconds. */
export interface Instant {
  /** Since the process started; never goes back, and may stand still while the machine sleeps. I2 counts on it. */
  readonly monoMs: number;
  /** Since 1970-01-01 UTC, as the system believes; may jump either way. I3 and I5 say how far it is trusted. */
  readonly wallMs: number;
  /** `wallMs`, but never ahead of what the monotonic clock allows since the start: frees borrows, a jump does not (I5). */
  readonly steadyWallMs: number;
}

export interface Clock {
  now(): Instant;
  /** An admin vouched for the wall clock when it read this: the steady one may follow it up to there (I5). */
  accept(wallMs: number): void;
}

/**
 * Bounds how fast the wall clock may gain on the monotonic one: by the drift that the hold of a borrow allows for (I3), whatever the
 * uptime. A forward jump is followed only at that rate, so it frees no borrow (I5); set back, the wall clock is followed at
 * once. A jump made while the server was stopped is not seen (I3 does not promise it).
 */
export function steadyClock(read: () => { readonly monoMs: number; readonly wallMs: number }): Clock {
  const start = read();
  let lastMonoMs = start.monoMs;
  let leadMs = start.wallMs - start.monoMs;
  return {
    accept: (acceptedMs) => {
      leadMs = Math.max(leadMs, acceptedMs - read().monoMs);
    },
    now: () => {
      const { monoMs, wallMs } = read();
      const allowedMs = leadMs + (monoMs - lastMonoMs) * CLOCK_DRIFT_RHO;
      leadMs = Math.min(wallMs - monoMs, allowedMs);
      lastMonoMs = monoMs;
      return { monoMs, wallMs, steadyWallMs: Math.min(wallMs, Math.floor(monoMs + leadMs)) };
    },
  };
}

// Rounding costs a difference less than 1 ms; I2's hold has 10 s to spare.
export const systemClock: Clock = steadyClock(() => ({
  monoMs: Math.floor(performance.now()),
  wallMs: Date.now(),
}));
