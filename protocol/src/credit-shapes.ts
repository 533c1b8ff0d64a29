import { limits } from './limits.js';
import { Count } from './schemas.js';
import Type, { type Static } from './typebox.js';

/** How long a limit counts before it begins anew, in UTC days, months and years; `total`: it never does. */
export const CreditPer = Type.Enum(['day', 'month', 'year', 'total']);
export type CreditPer = Static<typeof CreditPer>;

export const CreditAccessName = Type.Enum(['disabled', 'limited', 'unlimited']);
export type CreditAccessName = Static<typeof CreditAccessName>;

/** Credits that are spent, or asked for, at once. */
export const CreditAmount = Type.Integer({ minimum: 1, maximum: limits.creditsAtOnce });
/** The most that somebody may spend in a period. 0: nothing for now, as with a period that is used up. */
export const CreditLimit = Type.Integer({ minimum: 0, maximum: limits.creditLimit });

/** What an admin lets somebody spend. `limit` and `per` are there when it is limited, and only then. */
export const CreditAccess = Type.Object({
  access: CreditAccessName,
  limit: Type.Optional(CreditLimit),
  per: Type.Optional(CreditPer),
});
export type CreditAccess = Static<typeof CreditAccess>;

/** The credits of one user. */
export const CreditInfo = Type.Object({
  ...CreditAccess.properties,
  /** Spent in the period of the limit as it is now; without a limit, ever. */
  used: Count,
  /** Ever. */
  spent: Count,
  /** What may be spent now: what the limit leaves, and no more than there is. */
  left: Count,
});
export type CreditInfo = Static<typeof CreditInfo>;
