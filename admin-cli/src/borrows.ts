import type { Borrow } from '@berth/client';

/** A borrow as `--json` shows it: the signed tokens too, so that anyone can verify it with the vendor's key. */
export function borrowJson(borrow: Borrow): object {
  const {
    id,
    product,
    seats,
    state,
    fault,
    takenAtMs,
    expiresAtMs,
    freeAtMs,
    earlyReturn,
    autoExtend,
    leaseIds,
    tokens,
  } = borrow;
  return {
    id,
    product,
    seats,
    state,
    fault,
    takenAtMs,
    expiresAtMs,
    freeAtMs,
    earlyReturn,
    autoExtend,
    leaseIds,
    tokens,
  };
}
