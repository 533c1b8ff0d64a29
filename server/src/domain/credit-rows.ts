import type { CreditPer } from '@berth/protocol';

// PRODUCT.md, "credits": bought with entitlements, spent by users as far as an admin lets them. What was spent is charged to the entitlements it
// was bought with, so that it is gone when they end and nothing is counted twice.

/** What an admin lets somebody spend. */
export type CreditGrant =
  | { readonly access: 'disabled' }
  | { readonly access: 'unlimited' }
  | { readonly access: 'limited'; readonly limit: number; readonly per: CreditPer };

/** Who has no row may spend none. */
export interface CreditAccessRow {
  readonly email: string;
  readonly grant: Exclude<CreditGrant, { access: 'disabled' }>;
  readonly changed: { readonly by: string; readonly atMs: number };
}

/** What was spent of the credits that came with one entitlement. It outlives the entitlement: one that comes back is not full again. */
export interface CreditAccount {
  readonly entitlement: string;
  readonly spent: number;
}

/** What somebody spent in one month, and on which of its days (`01` to `31`). It outlives the user. */
export interface CreditUse {
  readonly email: string;
  /** `2026-11` */
  readonly month: string;
  readonly credits: number;
  readonly days: { readonly [day: string]: number };
}

/** Credits that were spent once, by one request. */
export interface CreditSpend {
  readonly id: string;
  readonly email: string;
  readonly device: string;
  readonly product: string;
  readonly credits: number;
  /** The day it counts to: `2026-11-28`. */
  readonly day: string;
  readonly charges: readonly CreditCharge[];
}

export interface CreditCharge {
  readonly entitlement: string;
  readonly credits: number;
}

/** Somebody asks for more: the last time they did. */
export interface CreditRequest {
  readonly id: string;
  readonly email: string;
  readonly credits: number;
  readonly note: string;
  readonly madeAtMs: number;
  /** Left out: nobody has answered yet. */
  readonly answer?: CreditAnswer;
}

export interface CreditAnswer {
  readonly approved: boolean;
  readonly by: string;
  readonly atMs: number;
  readonly note: string;
}

export function creditUseId(email: string, day: string): string {
  return `${email} ${day.slice(0, 7)}`;
}
