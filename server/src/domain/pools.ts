import type { Pool } from '@berth/protocol';
import { isHolding, unknownSeatsOf } from './restore.js';
import type { Entitlement, Now, State } from './state.js';

/** Entitlements of a product that grant now, the one that ends last first. Borrowable ones come last among online choices (choose.ts). */
export function activeEntitlements(state: State, product: string, now: Now): Entitlement[] {
  const found: Entitlement[] = [];
  for (const id of state.derived.entitlementsByProduct.get(product)) {
    const entitlement = state.tables.entitlement.get(id)!;
    if (isActive(entitlement, now)) found.push(entitlement);
  }
  return found.sort((a, b) => b.claims.exp - a.claims.exp || (a.claims.jti < b.claims.jti ? -1 : 1));
}

/** Judged by the clock, not only by its stored state: the ticker may be a moment late. */
export function isActive(entitlement: Entitlement, now: Now): boolean {
  if (entitlement.state !== 'active' && entitlement.state !== 'future') return false;
  return entitlement.claims.nbf * 1000 <= now.wallMs && now.wallMs < entitlement.claims.exp * 1000;
}

export interface Usage {
  readonly owned: number;
  readonly allocated: number;
  readonly inUse: number;
  readonly borrowed: number;
  readonly held: number;
  /** `inUse + borrowed + held`. */
  readonly used: number;
  /** Of `held`: kept back after a restore, since somebody may have them whom nobody here knows of (I9). */
  readonly keptBack: number;
  /** Seats that the state knows in somebody's hands, and how many may be out besides: for decisions, since both may be more than owned. */
  readonly taken: number;
  readonly unknown: number;
  readonly free: number;
  readonly over: number;
}

/** The two equations of PRODUCT.md for one product: they hold by construction. */
export function usageOf(state: State, product: string, now: Now): Usage {
  let [owned, allocated] = [0, 0];
  for (const { claims } of activeEntitlements(state, product, now)) {
    owned += claims.seats;
    allocated += state.derived.allocated.get(claims.jti);
  }
  const { byStatus } = state.derived;
  const inUse = byStatus.get(`${product} inUse`);
  const borrowed = byStatus.get(`${product} borrowed`);
  const taken = inUse + borrowed + byStatus.get(`${product} held`);
  const unknown = isHolding(state) ? Math.max(0, owned - taken) : unknownSeatsOf(state, product);
  const keptBack = Math.max(0, Math.min(unknown, owned - taken));
  const held = byStatus.get(`${product} held`) + keptBack;
  const used = taken + keptBack;
  const [free, over] = [Math.max(0, owned - used), Math.max(0, used - owned)];
  return { owned, allocated, inUse, borrowed, held, used, keptBack, taken, unknown, free, over };
}

export function poolOf(state: State, product: string, now: Now): Pool {
  const { owned, allocated, inUse, borrowed, held, free, over } = usageOf(state, product, now);
  const { vendor, sharing } = state.tables.product.get(product)!;
  return {
    product,
    vendor,
    owned,
    allocated,
    shared: owned - allocated,
    floatingSharing: sharing,
    inUse,
    borrowed,
    held,
    free,
    over,
  };
}
