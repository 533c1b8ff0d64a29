import type { Entitlement } from '../state.js';

/** Which entitlement of a product is meant: any, or the one that ends then, or has this number or id. */
export interface Which {
  readonly product: string;
  readonly endMs: number | null;
  readonly subscription?: string;
}

export function isMeant({ jti, exp, display }: Entitlement['claims'], which: Which): boolean {
  if (which.endMs !== null && exp * 1000 !== which.endMs) return false;
  const { subscription } = which;
  return subscription === undefined || subscription === display.number || subscription === jti;
}
