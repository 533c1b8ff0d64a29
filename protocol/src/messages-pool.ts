import { limits } from './limits.js';
import { request } from './message-row.js';
import { Count, Cursor, IdempotencyKey, PageSize, ProductId, WallMs } from './schemas.js';
import Type, { type Static } from './typebox.js';

const Off = Type.Null();
const IdleSeconds = Type.Union([Type.Integer({ minimum: 1, maximum: limits.idleSeconds }), Off]);
const LingerSeconds = Type.Union([Type.Integer({ minimum: 1, maximum: limits.lingerSeconds }), Off]);
const BorrowCap = Type.Union([Type.Integer({ minimum: 0, maximum: limits.seatsPerEntitlement }), Off]);

/** What an admin may set for the pool of a product. `null`: off. */
export const PoolSettings = Type.Object({
  /** A seat whose plugin reports that it has been idle for longer is taken back. */
  idleSeconds: IdleSeconds,
  /** After a release the seat is kept so long for whoever had it. */
  lingerSeconds: LingerSeconds,
  /** Seats of the product that may be borrowed at once, on top of what its entitlements say. */
  borrowSeatsMax: BorrowCap,
  /** The same for any one user. */
  borrowSeatsPerUserMax: BorrowCap,
});
export type PoolSettings = Static<typeof PoolSettings>;

/** What holds until an admin says something else. */
export const poolDefaults: PoolSettings = {
  idleSeconds: null,
  lingerSeconds: null,
  borrowSeatsMax: null,
  borrowSeatsPerUserMax: null,
};

/** Who did something last, and when. */
const Last = Type.Object({ by: Type.String(), atMs: WallMs });

/** What `sharing.set` did to one product. */
export const SharingChange = Type.Object({
  product: ProductId,
  floatingSharing: Type.Boolean(),
  changed: Type.Boolean(),
  leasesRevoked: Count,
  /** Shared seats that go on until they are released. */
  seatsRunning: Count,
  /** Who switched it before this; left out where nobody has, or an older server did not keep it. */
  before: Type.Optional(Last),
});
export type SharingChange = Static<typeof SharingChange>;

const Sharing = {
  on: Type.Boolean(),
  /** Left out: every product there is. */
  product: Type.Optional(ProductId),
  /** What becomes of the seats in use when it is switched off; left out: `drain`. */
  running: Type.Optional(Type.Enum(['drain', 'cut'])),
};
const Shared = Type.Object({ products: Type.Array(SharingChange, { maxItems: 1000 }) });

const Wanted = {
  product: ProductId,
  idleSeconds: Type.Optional(IdleSeconds),
  lingerSeconds: Type.Optional(LingerSeconds),
  borrowSeatsMax: Type.Optional(BorrowCap),
  borrowSeatsPerUserMax: Type.Optional(BorrowCap),
};
const PoolSet = Type.Object({
  product: ProductId,
  settings: PoolSettings,
  changed: Type.Boolean(),
  /** Seats that lingered and are free by it. */
  lingersEnded: Type.Optional(Count),
});

export const poolRequests = {
  'pool.set': request({
    paths: ['admin'],
    least: 'admin',
    changes: true,
    params: Type.Object({
      key: IdempotencyKey,
      ...Wanted,
      /** What the caller saw before: if what is to be changed is no longer so, nothing is. */
      was: Type.Optional(Type.Partial(PoolSettings)),
    }),
    result: PoolSet,
    errors: ['PRODUCT_UNKNOWN', 'CHANGED_MEANWHILE', 'KEY_REUSED'],
    text: 'Changes settings of a pool; those that are left out stay as they are.',
  }),
  'pool.set.preview': request({
    paths: ['admin'],
    least: 'admin',
    changes: false,
    params: Type.Object(Wanted),
    result: PoolSet,
    errors: ['PRODUCT_UNKNOWN'],
    text: 'What `pool.set` would say now.',
  }),
  'sharing.set': request({
    paths: ['admin'],
    least: 'admin',
    changes: true,
    params: Type.Object({
      key: IdempotencyKey,
      ...Sharing,
      /** What the caller saw before: if one of them is no longer so, nothing is changed. */
      was: Type.Optional(
        Type.Array(Type.Object({ product: ProductId, floatingSharing: Type.Boolean() }), { maxItems: 1000 }),
      ),
    }),
    result: Shared,
    errors: ['PRODUCT_UNKNOWN', 'CHANGED_MEANWHILE', 'KEY_REUSED'],
    text: 'Switches floating sharing on or off. Off: shared seats are granted to nobody; seats in use are drained or cut, borrows never.',
  }),
  'sharing.set.preview': request({
    paths: ['admin'],
    least: 'admin',
    changes: false,
    params: Type.Object(Sharing),
    result: Shared,
    errors: ['PRODUCT_UNKNOWN'],
    text: 'What `sharing.set` would say now.',
  }),
  'pool.show': request({
    paths: ['admin'],
    least: 'viewer',
    changes: false,
    params: Type.Object({
      product: Type.Optional(ProductId),
      cursor: Type.Optional(Cursor),
      limit: Type.Optional(PageSize),
    }),
    result: Type.Object({
      items: Type.Array(
        Type.Object({
          product: ProductId,
          settings: PoolSettings,
          defaults: PoolSettings,
          /** Who last changed a setting. */
          changed: Type.Optional(Last),
        }),
      ),
      next: Type.Union([Cursor, Type.Null()]),
    }),
    errors: ['PRODUCT_UNKNOWN'],
    text: 'The settings of every pool, or of one, each with its default.',
  }),
} as const;
