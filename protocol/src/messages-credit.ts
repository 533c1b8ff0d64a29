import { CreditAccess, CreditAmount, CreditInfo } from './credit-shapes.js';
import { limits } from './limits.js';
import { request } from './message-row.js';
import { Next, Page } from './messages-admin.js';
import { Count, DayText, EmailText, Id, IdempotencyKey, KeyText, ProductId, WallMs } from './schemas.js';
import Type, { type Static } from './typebox.js';

const NoteText = Type.String({ maxLength: limits.creditNoteChars });

/** Credits that came with one subscription. */
export const CreditSourceInfo = Type.Object({
  entitlement: Id,
  /** Of the subscription, where the vendor gave one. */
  number: Type.Optional(Type.String()),
  product: ProductId,
  /** Whose products they are for: the key that the product belongs to now. */
  vendor: KeyText,
  /** Whose alone they are; `null`: the organisation's. */
  holder: Type.Union([Type.String(), Type.Null()]),
  state: Type.Enum(['future', 'active', 'expired', 'replaced', 'removed']),
  /** Its last day. */
  until: Type.String(),
  bought: Count,
  spent: Count,
  /** What may be spent now. */
  left: Count,
});
export type CreditSourceInfo = Static<typeof CreditSourceInfo>;

/** Somebody asked for credits: the last time they did. */
export const CreditRequestInfo = Type.Object({
  id: Id,
  email: Type.String(),
  /** As many more. */
  credits: Count,
  note: Type.String(),
  madeAtMs: WallMs,
  /** Left out: it waits for an answer. */
  answer: Type.Optional(
    Type.Object({ approved: Type.Boolean(), by: Type.String(), atMs: WallMs, note: Type.String() }),
  ),
});
export type CreditRequestInfo = Static<typeof CreditRequestInfo>;

/** What the plugin, or the person at it, may ask. */
export const spendRequests = {
  'credit.consume': request({
    paths: ['lease'],
    least: 'device',
    changes: true,
    params: Type.Object({
      key: IdempotencyKey,
      /** What they are spent for. Its vendor's credits are spent, and no other's. */
      product: ProductId,
      credits: CreditAmount,
    }),
    result: Type.Object({
      /** The receipt. */
      id: Id,
      credits: Count,
      /** What the user could spend on after it. */
      left: Count,
    }),
    errors: [
      'CREDIT_DISABLED',
      'CREDIT_LIMIT',
      'CREDIT_LOW',
      'CREDIT_HELD',
      'PRODUCT_UNKNOWN',
      'REVOKE_PENDING',
      'KEY_REUSED',
      'CLOCK_BEHIND',
      'DISK_LOW',
    ],
    text: 'Spends credits, once, however often it is sent with the same key.',
  }),
  'credit.request': request({
    paths: ['lease', 'admin'],
    least: 'device',
    changes: true,
    params: Type.Object({
      key: IdempotencyKey,
      /** As many more. */
      credits: CreditAmount,
      /** What for: admins read it. */
      note: Type.Optional(NoteText),
    }),
    result: Type.Object({ id: Id, credits: Count }),
    errors: ['CREDIT_REQUEST_OPEN', 'MESSAGE_INVALID', 'NOT_ALLOWED', 'KEY_REUSED', 'DISK_LOW'],
    text: 'Asks the admins for more than one may spend; they get a mail.',
  }),
} as const;

export const creditRequests = {
  'credit.show': request({
    paths: ['admin'],
    least: 'viewer',
    changes: false,
    params: Type.Object(Page),
    result: Type.Object({
      /** Of the organisation, with active subscriptions; what is personal is not among them. */
      bought: Count,
      spent: Count,
      left: Count,
      /** Users who asked for more and wait for an answer. */
      waiting: Count,
      items: Type.Array(CreditSourceInfo),
      next: Next,
    }),
    errors: [],
    text: 'The balance of the organisation, and what came with which subscription.',
  }),
  'credit.limit': request({
    paths: ['admin'],
    least: 'admin',
    changes: true,
    params: Type.Object({
      key: IdempotencyKey,
      email: EmailText,
      ...CreditAccess.properties,
      /** What the caller saw before: if it is no longer so, nothing is changed. */
      was: Type.Optional(CreditAccess),
    }),
    result: Type.Object({ email: Type.String(), credits: CreditInfo, changed: Type.Boolean() }),
    errors: ['EMAIL_INVALID', 'USER_UNKNOWN', 'CREDIT_LIMIT_INVALID', 'CHANGED_MEANWHILE', 'KEY_REUSED'],
    text: 'Says what a user may spend.',
  }),
  'credit.usage': request({
    paths: ['admin'],
    least: 'viewer',
    changes: false,
    params: Type.Object({
      ...Page,
      /** Only of this user. */
      email: Type.Optional(EmailText),
      /** The first and the last day; left out: from the first day of this month, until today. */
      from: Type.Optional(DayText),
      until: Type.Optional(DayText),
      /** A row for each of these in which something was spent; left out: one for each user. */
      by: Type.Optional(Type.Enum(['day', 'month', 'year'])),
    }),
    result: Type.Object({
      from: Type.String(),
      until: Type.String(),
      /** On all pages. */
      credits: Count,
      items: Type.Array(
        Type.Object({
          email: Type.String(),
          /** False: removed since. */
          member: Type.Boolean(),
          /** `2026`, `2026-11` or `2026-11-28`. */
          period: Type.Optional(Type.String()),
          credits: Count,
        }),
      ),
      next: Next,
    }),
    errors: ['EMAIL_INVALID', 'DATE_INVALID'],
    text: 'What users spent, by user and period; those who were removed too.',
  }),
  'credit.requests': request({
    paths: ['admin'],
    least: 'viewer',
    changes: false,
    params: Type.Object({
      ...Page,
      /** Those that were answered too. */
      all: Type.Optional(Type.Boolean()),
    }),
    result: Type.Object({
      items: Type.Array(Type.Object({ ...CreditRequestInfo.properties, now: CreditInfo })),
      next: Next,
    }),
    errors: [],
    text: 'Who asked for more credits, the oldest first.',
  }),
  'credit.decide': request({
    paths: ['admin'],
    least: 'admin',
    changes: true,
    params: Type.Object({
      key: IdempotencyKey,
      email: EmailText,
      /** The request that the caller saw; left out: whichever is open. */
      id: Type.Optional(Id),
      approve: Type.Boolean(),
      /** What they may spend then; left out: as much more as they asked for. */
      grant: Type.Optional(CreditAccess),
      /** For whoever asked. */
      note: Type.Optional(NoteText),
    }),
    result: Type.Object({ email: Type.String(), approved: Type.Boolean(), credits: CreditInfo }),
    errors: [
      'EMAIL_INVALID',
      'USER_UNKNOWN',
      'CREDIT_REQUEST_UNKNOWN',
      'CREDIT_LIMIT_INVALID',
      'MESSAGE_INVALID',
      'KEY_REUSED',
    ],
    text: 'Answers somebody who asked for credits; they get a mail.',
  }),
} as const;
