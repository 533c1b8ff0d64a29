import { limits } from './limits.js';
import { request } from './message-row.js';
import { AllocationInfo } from './messages-admin.js';
import { Count, DayText, EmailText, IdempotencyKey, ProductId, SubscriptionText } from './schemas.js';
import Type from './typebox.js';

export const allocationRequests = {
  'allocation.move': request({
    paths: ['admin'],
    least: 'admin',
    changes: true,
    params: Type.Object({
      key: IdempotencyKey,
      email: EmailText,
      to: EmailText,
      product: ProductId,
      /** Left out: one seat. `all`: every seat of the product that the source has. */
      quantity: Type.Optional(
        Type.Union([Type.Integer({ minimum: 1, maximum: limits.seatsPerEntitlement }), Type.Literal('all')]),
      ),
      expires: Type.Optional(DayText),
      subscription: Type.Optional(SubscriptionText),
    }),
    result: Type.Object({
      email: Type.String(),
      to: Type.String(),
      product: ProductId,
      moved: Count,
      /** What the source has left of the product. */
      left: Count,
      leasesRevoked: Count,
      /** Those of the target that grew, as they are now. */
      allocations: Type.Array(AllocationInfo, { minItems: 1, maxItems: 1000 }),
    }),
    errors: [
      'EMAIL_INVALID',
      'USER_UNKNOWN',
      'ALLOCATION_UNKNOWN',
      'DATE_INVALID',
      'BORROWED',
      'PERSONAL',
      'REVOKE_PENDING',
      'KEY_REUSED',
      'DISK_LOW',
      'CLOCK_BEHIND',
    ],
    text: 'Re-allocates: takes seats from one user and sets them aside for another, in one step. Refused while that would take a borrowed seat.',
  }),
} as const;
