import { limits } from './limits.js';
import { request } from './message-row.js';
import { Holder, Pool } from './messages-lease.js';
import { Count, EmailText, Id, ProductId, WallMs } from './schemas.js';
import Type, { type Static } from './typebox.js';

/** Seats that a checkout would bring. */
export const WhySource = Type.Object({
  entitlement: Id,
  /** Its last day. */
  expires: Type.String(),
  seats: Count,
  /** Set aside for the user; else shared ones. */
  allocated: Type.Boolean(),
  /** `taken`: free ones; `joined`: of a seat that the user or device has in use; `kept`: that lingers for it. */
  how: Type.Enum(['taken', 'joined', 'kept']),
});
export type WhySource = Static<typeof WhySource>;

export const whyRequests = {
  'user.why': request({
    paths: ['admin'],
    least: 'viewer',
    changes: false,
    params: Type.Object({
      email: EmailText,
      product: ProductId,
      /** Left out: one. */
      seats: Type.Optional(Type.Integer({ minimum: 1, maximum: limits.seatsPerCheckout })),
    }),
    result: Type.Object({
      email: Type.String(),
      product: ProductId,
      seats: Count,
      /** A checkout would succeed now. */
      granted: Type.Boolean(),
      /** By name, the device it was decided for; `null`: the user has none. */
      device: Type.Union([Type.String(), Type.Null()]),
      /** Whence, if granted; or if only a device is missing. */
      from: Type.Array(WhySource, { maxItems: limits.leasesPerSession }),
      /** Of the refusal, as a plugin would get it. */
      refusal: Type.Optional(
        Type.Object({
          code: Type.String(),
          rule: Type.Optional(Type.String()),
          message: Type.String(),
          next: Type.String(),
          holders: Type.Array(Holder, { maxItems: limits.holdersNamed }),
          nextFreeAtMs: Type.Union([WallMs, Type.Null()]),
          untilMs: Type.Optional(WallMs),
        }),
      ),
      /** What an admin can do about the refusal, a sentence each. */
      advice: Type.Optional(Type.Array(Type.String(), { maxItems: 2 })),
      /** Whom a seat could be moved from, those with most idle ones first. */
      allocatedTo: Type.Optional(
        Type.Array(Type.Object({ email: Type.String(), quantity: Count, idle: Count }), {
          maxItems: limits.holdersNamed,
        }),
      ),
      /** What the user has set aside of the product, and uses of it. */
      own: Type.Object({
        quantity: Count,
        inUse: Count,
        borrowed: Count,
        /** A revoke of so many of them is pending: nothing new from these allocations. */
        revoking: Type.Optional(Type.Object({ seats: Count, untilMs: WallMs })),
      }),
      /** Of the product, by devices of the user: programs there go on using them whatever a checkout would be told. */
      borrows: Type.Optional(
        Type.Array(Type.Object({ device: Type.String(), seats: Count, untilMs: WallMs }), {
          maxItems: limits.holdersNamed,
        }),
      ),
      pool: Pool,
      /** Shared seats that others in line have before. */
      awaited: Count,
    }),
    errors: ['EMAIL_INVALID', 'USER_UNKNOWN', 'PRODUCT_UNKNOWN'],
    text: 'Would a checkout of this user succeed now, and why not: decided as a checkout is, and nothing is changed.',
  }),
} as const;
