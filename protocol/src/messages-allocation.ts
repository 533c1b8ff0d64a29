import { limits } from './limits.js';
import { request } from './message-row.js';
import { AllocationInfo } from './messages-admin.js';
import { Count, DayText, EmailText, IdempotencyKey, ProductId, SubscriptionText } from './schemas.js';
import Type from './typebox.js';

/** Which seats go, and to whom. */
const Move = {
  email: EmailText,
  to: EmailText,
  product: ProductId,
  /** Left out: one seat. `all`: every seat of the product that the source has. */
  quantity: Type.Optional(
    Type.Union([Type.Integer({ minimum: 1, maximum: limits.seatsPerEntitlement }), Type.Literal('all')]),
  ),
  expires: Type.Optional(DayText),
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
