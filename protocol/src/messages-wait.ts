import { limits } from './limits.js';
import { push, request } from './message-row.js';
import { Count, IdempotencyKey, ProductId, WallMs } from './schemas.js';
import Type, { type Static } from './typebox.js';

/** Seats of one product: of the first of `products`, in order of preference, that has them. */
export const Want = Type.Object({
  products: Type.Array(ProductId, { minItems: 1, maxItems: limits.productsPerWant }),
  seats: Type.Integer({ minimum: 1, maximum: limits.seatsPerCheckout }),
});
export type Want = Static<typeof Want>;

export const WaitMs = Type.Integer({ minimum: 0, maximum: limits.waitMs });

/** What a client says while one of its checkouts waits. */
export const waitRequests = {
  'lease.cancelWait': request({
    paths: ['lease'],
    least: 'device',
    changes: false,
    params: Type.Object({ checkout: IdempotencyKey }),
    result: Type.Object({ left: Type.Boolean() }),
    errors: [],
    text: 'Ends the wait of a checkout of this device. What it was granted in the same moment stays granted: the client gives it back.',
  }),
} as const;

/** What a client is told while one of its checkouts waits. */
export const waitPushes = {
  'lease.queued': push({
    paths: ['lease'],
    params: Type.Object({
      checkout: IdempotencyKey,
      position: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
      estimateMs: Type.Union([Count, Type.Null()]),
      nextFreeAtMs: Type.Union([WallMs, Type.Null()]),
    }),
    text: 'A checkout waits in line: its place, and how long that may take.',
  }),
} as const;
