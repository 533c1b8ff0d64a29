import { limits } from './limits.js';
import { request } from './message-row.js';
import { AllocationInfo, When } from './messages-admin.js';
import { Count, DayText, EmailText, IdempotencyKey, ProductId, SubscriptionText, WallMs } from './schemas.js';
import Type from './typebox.js';

/** Which seats go. */
const Seats = {
  product: ProductId,
  /** Left out: one seat. `all`: every seat of the product that they have. */
  quantity: Type.Optional(
    Type.Union([Type.Integer({ minimum: 1, maximum: limits.seatsPerEntitlement }), Type.Literal('all')]),
  ),
  expires: Type.Optional(DayText),
};

const Revoke = { email: EmailText, ...Seats };

const Revoked = Type.Object({
  email: Type.String(),
  product: ProductId,
  revoked: Count,
  left: Count,
  leasesRevoked: Count,
  /** Seats of `left` whose revoke is pending, and when the last borrow it waits for ends. */
  pending: Type.Optional(Count),
  pendingUntilMs: Type.Optional(WallMs),
  /** Seats whose pending revoke was cancelled. */
  cancelled: Type.Optional(Count),
});

const Move = {
  email: EmailText,
  to: EmailText,
  ...Seats,
  subscription: Type.Optional(SubscriptionText),
};

const Moved = Type.Object({
  email: Type.String(),
  to: Type.String(),
  product: ProductId,
  moved: Count,
  /** What the source has left of the product. */
  left: Count,
  leasesRevoked: Count,
  /** Those of the target that grew, as they are now. */
  allocations: Type.Array(AllocationInfo, { minItems: 1, maxItems: 1000 }),
});

const refusals = [
  'EMAIL_INVALID',
  'USER_UNKNOWN',
  'ALLOCATION_UNKNOWN',
  'DATE_INVALID',
  'BORROWED',
  'PERSONAL',
  'REVOKE_PENDING',
] as const;

export const allocationRequests = {
  'allocation.revoke': request({
    paths: ['admin'],
    least: 'admin',
    changes: true,
    params: Type.Object({ key: IdempotencyKey, ...Revoke, ...When }),
    result: Revoked,
    errors: [...refusals, 'KEY_REUSED'],
    text: 'Takes an allocation back; live leases on it are revoked. Refused while its seat is borrowed, or left pending until the borrow ends.',
  }),
  'allocation.revoke.preview': request({
    paths: ['admin'],
    least: 'admin',
    changes: false,
    params: Type.Object({ ...Revoke, ...When }),
    result: Revoked,
    errors: [...refusals],
    text: 'What `allocation.revoke` would say now.',
  }),
  'allocation.move': request({
    paths: ['admin'],
    least: 'admin',
    changes: true,
    params: Type.Object({ key: IdempotencyKey, ...Move }),
    result: Moved,
    errors: [...refusals, 'KEY_REUSED', 'DISK_LOW', 'CLOCK_BEHIND'],
    text: 'Re-allocates: takes seats from one user and sets them aside for another, in one step. Refused while that would take a borrowed seat.',
  }),
  'allocation.move.preview': request({
    paths: ['admin'],
    least: 'admin',
    changes: false,
    params: Type.Object(Move),
    result: Moved,
    errors: [...refusals, 'DISK_LOW', 'CLOCK_BEHIND'],
    text: 'What `allocation.move` would say now.',
  }),
} as const;
