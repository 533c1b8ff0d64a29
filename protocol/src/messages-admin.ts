import { limits } from './limits.js';
import { request } from './message-row.js';
import { clockRequests } from './messages-clock.js';
import { noticeRequests, ReasonText } from './messages-notice.js';
import { vendorRequests } from './messages-vendor.js';
import {
  BorrowLimits,
  Count,
  Cursor,
  DayText,
  Display,
  EarlyReturn,
  EmailText,
  Id,
  IdempotencyKey,
  KeyText,
  PageSize,
  ProductId,
  Share,
  SubscriptionText,
  TokenText,
  WallMs,
} from './schemas.js';
import Type, { type Static } from './typebox.js';

/** Why an entitlement is not taken, now or after the question whether it would be. */
const importRefusals = [
  'ENTITLEMENT_INVALID',
  'ENTITLEMENT_SIGNATURE',
  'ENTITLEMENT_FOREIGN',
  'ENTITLEMENT_EXPIRED',
  'ENTITLEMENT_SUPERSEDED',
  'ENTITLEMENT_CONFLICT',
  'ENTITLEMENT_UNKNOWN',
  'VENDOR_MISMATCH',
  'SHARE_MISMATCH',
  'ALLOCATED',
  'BORROWED',
  'IN_USE',
] as const;

export const Next = Type.Union([Cursor, Type.Null()]);
export const Page = { cursor: Type.Optional(Cursor), limit: Type.Optional(PageSize) };

/** A revoke or removal that waits for borrows to end. `untilMs`: when the last of them ends at the latest, hold included. */
export const PendingInfo = Type.Object({ by: Type.String(), sinceMs: WallMs, untilMs: WallMs });
export type PendingInfo = Static<typeof PendingInfo>;

/** What a revoke or removal does while a borrow forbids it: `pending` leaves it pending, `cancel` takes a pending one back. */
export const When = { pending: Type.Optional(Type.Boolean()), cancel: Type.Optional(Type.Boolean()) };
export const Removed = {
  /** The removal waits for a borrow; left out: it has taken effect, or was taken back. */
  pending: Type.Optional(PendingInfo),
  /** Answer to `cancel`: whether there was something to take back. */
  cancelled: Type.Optional(Type.Boolean()),
};

const EntitlementState = Type.Enum(['future', 'active', 'expired', 'replaced', 'removed']);

/** An entitlement as an admin sees it. `until` is the last day it is valid, `state` what it is worth now. */
export const EntitlementInfo = Type.Object({
  id: Id,
  rev: Count,
  product: ProductId,
  vendor: KeyText,
  seats: Count,
  allocated: Count,
  from: Type.String(),
  until: Type.String(),
  daysLeft: Type.Integer(),
  /** It ends soon: the last warning that is due, in days before the end. */
  notice: Type.Optional(Count),
  state: EntitlementState,
  share: Share,
  borrow: Type.Union([BorrowLimits, Type.Null()]),
  earlyReturn: EarlyReturn,
  holder: Type.Union([Type.String(), Type.Null()]),
  /** Its removal is pending. */
  removing: Type.Optional(PendingInfo),
  /** Credits that came with it, and how many of them were spent; left out: none came. */
  credits: Type.Optional(Type.Object({ bought: Count, spent: Count })),
  display: Display,
});
export type EntitlementInfo = Static<typeof EntitlementInfo>;

export const AllocationInfo = Type.Object({
  email: Type.String(),
  product: ProductId,
  entitlement: Id,
  quantity: Count,
  inUse: Count,
  borrowed: Count,
  expires: Type.String(),
  personal: Type.Boolean(),
  /** `seats` of `quantity` are revoked when their borrows end. */
  revoking: Type.Optional(Type.Object({ by: Type.String(), sinceMs: WallMs, untilMs: WallMs, seats: Count })),
});
export type AllocationInfo = Static<typeof AllocationInfo>;

export const LeaseInfo = Type.Object({
  id: Id,
  seat: Id,
  product: ProductId,
  entitlement: Id,
  seats: Count,
  kind: Type.Enum(['online', 'borrow']),
  /** `lingering`: it was released, and its seat is kept for a while for whoever had it. */
  state: Type.Enum(['open', 'held', 'lingering']),
  user: Type.String(),
  device: Type.String(),
  allocated: Type.Boolean(),
  sinceMs: WallMs,
  /** When the right ends if nothing is renewed. */
  expiresAtMs: WallMs,
  /** When the seat may be granted again at the latest if nothing is renewed. */
  freeAtMs: WallMs,
  /** When an admin takes it back; `null`: nobody has said so. */
  releaseAtMs: Type.Union([WallMs, Type.Null()]),
});
export type LeaseInfo = Static<typeof LeaseInfo>;

const EntitlementGone = Type.Object({
  id: Id,
  /** Once it is removed. */
  leasesRevoked: Type.Optional(Count),
  /** Seats in use that went to other entitlements of the product. */
  moved: Type.Optional(Count),
  ...Removed,
});

/** Seats to be set aside. */
const Assign = {
  email: EmailText,
  product: ProductId,
  quantity: Type.Integer({ minimum: 1, maximum: limits.seatsPerEntitlement }),
  /** The last day of the entitlement to take from. Left out: the one that ends last. */
  expires: Type.Optional(DayText),
  /** The subscription to take from. */
  subscription: Type.Optional(SubscriptionText),
};
const Assigned = Type.Object({ allocation: AllocationInfo });
const assignRefusals = [
  'EMAIL_INVALID',
  'USER_UNKNOWN',
  'PRODUCT_UNKNOWN',
  'DATE_INVALID',
  'ENTITLEMENT_UNKNOWN',
  'ENTITLEMENT_NOT_BEGUN',
  'PERSONAL',
  'ALL_ALLOCATED',
  'REVOKE_PENDING',
] as const;

export const adminRequests = {
  'entitlement.import': request({
    paths: ['admin'],
    least: 'admin',
    changes: true,
    params: Type.Object({ key: IdempotencyKey, entitlement: TokenText }),
    result: Type.Object({ entitlement: EntitlementInfo, changed: Type.Boolean() }),
    errors: [...importRefusals, 'KEY_REUSED', 'DISK_LOW'],
    text: 'Imports a vendor-signed entitlement. Importing it again changes nothing; the highest revision wins.',
  }),
  'entitlement.import.preview': request({
    paths: ['admin'],
    least: 'admin',
    changes: false,
    params: Type.Object({ entitlement: TokenText }),
    result: Type.Object({ entitlement: EntitlementInfo, changed: Type.Boolean() }),
    errors: [...importRefusals, 'DISK_LOW'],
    text: 'What `entitlement.import` would say now.',
  }),
  'entitlement.list': request({
    paths: ['admin'],
    least: 'viewer',
    changes: false,
    params: Type.Object({
      ...Page,
      product: Type.Optional(ProductId),
      state: Type.Optional(EntitlementState),
      /** As its display data says; capitals do not matter. */
      currency: Type.Optional(Type.String({ minLength: 1, maxLength: 400 })),
      /** Whose last day is earlier. */
      expiresBefore: Type.Optional(DayText),
      /** The number that the vendor gave it, or its id. */
      subscription: Type.Optional(SubscriptionText),
      /** Only those that a warning is due for. */
      ending: Type.Optional(Type.Boolean()),
    }),
    result: Type.Object({ items: Type.Array(EntitlementInfo), next: Next }),
    errors: ['DATE_INVALID'],
    text: 'All entitlements, ended ones too.',
  }),
  'entitlement.show': request({
    paths: ['admin'],
    least: 'viewer',
    changes: false,
    params: Type.Object({ id: Id }),
    result: Type.Object({ entitlement: EntitlementInfo, token: TokenText }),
    errors: ['ENTITLEMENT_UNKNOWN'],
    text: 'One entitlement with its signed token.',
  }),
  'entitlement.remove': request({
    paths: ['admin'],
    least: 'admin',
    changes: true,
    params: Type.Object({ key: IdempotencyKey, id: Id, ...When }),
    result: EntitlementGone,
    errors: ['ENTITLEMENT_UNKNOWN', 'ENTITLEMENT_SUPERSEDED', 'BORROWED', 'ALLOCATED', 'KEY_REUSED'],
    text: 'Removes an entitlement: its leases are revoked. Refused while a seat of it is borrowed or allocated, or left pending while one is borrowed.',
  }),
  'entitlement.remove.preview': request({
    paths: ['admin'],
    least: 'admin',
    changes: false,
    params: Type.Object({ id: Id, ...When }),
    result: EntitlementGone,
    errors: ['ENTITLEMENT_UNKNOWN', 'ENTITLEMENT_SUPERSEDED', 'BORROWED', 'ALLOCATED'],
    text: 'What `entitlement.remove` would say now.',
  }),
  'allocation.assign': request({
    paths: ['admin'],
    least: 'admin',
    changes: true,
    params: Type.Object({ key: IdempotencyKey, ...Assign }),
    result: Assigned,
    errors: [...assignRefusals, 'KEY_REUSED', 'DISK_LOW', 'CLOCK_BEHIND'],
    text: 'Sets seats of one entitlement aside for one user, in addition to what the user has.',
  }),
  'allocation.assign.preview': request({
    paths: ['admin'],
    least: 'admin',
    changes: false,
    params: Type.Object(Assign),
    result: Assigned,
    errors: [...assignRefusals, 'DISK_LOW', 'CLOCK_BEHIND'],
    text: 'What `allocation.assign` would say now.',
  }),
  'allocation.list': request({
    paths: ['admin'],
    least: 'viewer',
    changes: false,
    params: Type.Object({ ...Page, email: Type.Optional(EmailText), product: Type.Optional(ProductId) }),
    result: Type.Object({ items: Type.Array(AllocationInfo), next: Next }),
    errors: ['EMAIL_INVALID', 'USER_UNKNOWN', 'PRODUCT_UNKNOWN'],
    text: 'Who has seats set aside.',
  }),
  'lease.list': request({
    paths: ['admin'],
    least: 'viewer',
    changes: false,
    params: Type.Object({ ...Page, email: Type.Optional(EmailText), product: Type.Optional(ProductId) }),
    result: Type.Object({ items: Type.Array(LeaseInfo), next: Next }),
    errors: ['EMAIL_INVALID', 'USER_UNKNOWN', 'PRODUCT_UNKNOWN'],
    text: 'Who holds which seat now, borrows too.',
  }),
  'lease.revoke': request({
    paths: ['admin'],
    least: 'admin',
    changes: true,
    params: Type.Object({
      key: IdempotencyKey,
      lease: Id,
      reason: Type.Optional(ReasonText),
      /** Not now but after so long; the plugin is warned at once. */
      inSeconds: Type.Optional(Type.Integer({ minimum: 1, maximum: limits.releaseInSeconds })),
    }),
    result: Type.Object({ lease: Id, freeAtMs: WallMs, releaseAtMs: Type.Union([WallMs, Type.Null()]) }),
    errors: ['LEASE_UNKNOWN', 'BORROWED', 'MESSAGE_INVALID', 'KEY_REUSED'],
    text: 'Forced release, now or after a warning: the plugin is told at once; the seat is free on its signed stop or at the end of the window.',
  }),
  ...clockRequests,
  ...noticeRequests,
  ...vendorRequests,
} as const;
