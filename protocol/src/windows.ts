// How long a right lasts, and how long the server must wait before it may give the seat to somebody else.
// PROTOCOL 6, DESIGN I2 and I3. Both ends compute with these functions and no others.

/** The largest rate at which a clock may run fast or slow: 1000 ppm, four times what a poor quartz does. */
export const CLOCK_DRIFT_RHO = 1e-3;

// 1 / rho. The windows are computed in integers, so that PROTOCOL 6.2 needs no word about rounding in floating point.
const PER_RHO = 1000;

/** The time a plugin has to stop once its lease is lost, in milliseconds. */
export const STOP_MS = 10_000;

/** How far a borrower's wall clock may be off before its seat could be doubled, in milliseconds. */
export const BORROW_CLOCK_SIGMA_MS = 15 * 60_000;

/** A client whose wall clock is further off than this is lent nothing (I3), in milliseconds. */
export const BORROW_MAX_SKEW_MS = BORROW_CLOCK_SIGMA_MS / 2;

/**
 * The server's hold `W = D (1 + rho) / (1 - rho) + delta` for an online lease (I2).
 * @param durationMs D, the lease's own duration as stored with it.
 * @returns milliseconds on the server's monotonic clock from the commit or the last renewal.
 */
export function onlineWindowMs(durationMs: number): number {
  return Math.ceil((durationMs * (PER_RHO + 1)) / (PER_RHO - 1)) + STOP_MS;
}

/**
 * When a borrowed seat may be granted again: `exp + sigma + 2 rho (exp - iat)` (I3).
 * @returns milliseconds since 1970 on the server's wall clock.
 */
export function borrowFreeAtMs(issuedAtMs: number, expiresAtMs: number): number {
  const drift = Math.ceil((2 * Math.max(0, expiresAtMs - issuedAtMs)) / PER_RHO);
  return expiresAtMs + BORROW_CLOCK_SIGMA_MS + drift;
}

/** How often a client renews, as a part of D (DESIGN I2); it adds +-10 % so that clients spread out. */
export const HEARTBEAT_FRACTION = 1 / 3;
export const HEARTBEAT_JITTER = 0.1;
