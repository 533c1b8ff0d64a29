import { request } from './message-row.js';
import { Next, Page } from './messages-admin.js';
import { Count, EmailText, Id, IdempotencyKey, WallMs } from './schemas.js';
import Type, { type Static } from './typebox.js';

const MailState = Type.Enum(['gathering', 'queued', 'sending', 'sent', 'failed', 'cancelled']);

/** A mail of the outbox as an admin sees it. `error` is what the mail server or the network said last. */
export const MailInfo = Type.Object({
  id: Id,
  to: Type.String(),
  /** What the first thing is that it tells. */
  kind: Type.Enum([
    'invited',
    'assigned',
    'revoked',
    'removed',
    'ending',
    'bulk',
    'creditAsked',
    'creditAnswered',
    'test',
  ]),
  subject: Type.String(),
  state: MailState,
  madeAtMs: WallMs,
  attempts: Count,
  /** While it waits: not before this moment. */
  nextAtMs: Type.Optional(WallMs),
  /** When it was sent, given up or cancelled. */
  endedAtMs: Type.Optional(WallMs),
  messageId: Type.Optional(Type.String()),
  error: Type.Optional(Type.String()),
  /** A hand-over broke off: it may arrive twice, under the same Message-ID. */
  unsure: Type.Optional(Type.Boolean()),
});
export type MailInfo = Static<typeof MailInfo>;

export const mailRequests = {
  'mail.list': request({
    paths: ['admin'],
    least: 'viewer',
    changes: false,
    params: Type.Object({
      ...Page,
      state: Type.Optional(MailState),
      /** Only to this address. */
      email: Type.Optional(EmailText),
    }),
    result: Type.Object({
      items: Type.Array(MailInfo),
      next: Next,
      /** A mail server is configured. */
      configured: Type.Boolean(),
      /** In the whole outbox: given up, and waiting to be sent. Older servers leave them out. */
      failed: Type.Optional(Count),
      waiting: Type.Optional(Count),
      /** Why the mail server could not be used at the last attempt; left out: it could, or nothing was tried since the start. */
      fault: Type.Optional(Type.String()),
    }),
    errors: ['EMAIL_INVALID'],
    text: 'The outbox, newest first: what was sent, what waits, what failed.',
  }),
  'mail.show': request({
    paths: ['admin'],
    least: 'admin',
    changes: false,
    params: Type.Object({ id: Id }),
    result: Type.Object({
      mail: MailInfo,
      text: Type.String(),
      html: Type.String(),
      /** A mail server is configured. Older servers leave it out. */
      configured: Type.Optional(Type.Boolean()),
    }),
    errors: ['MAIL_UNKNOWN'],
    text: 'One mail as it was handed over; before that, as it would be now.',
  }),
  'mail.test': request({
    paths: ['admin'],
    least: 'admin',
    changes: true,
    params: Type.Object({
      key: IdempotencyKey,
      /** Left out: the caller. */
      email: Type.Optional(EmailText),
    }),
    result: Type.Object({ mail: MailInfo }),
    errors: ['EMAIL_INVALID', 'MAIL_OFF', 'KEY_REUSED', 'DISK_LOW'],
    text: 'Sends a mail at once, before those that wait, and says what the mail server answered.',
  }),
  'mail.retry': request({
    paths: ['admin'],
    least: 'admin',
    changes: true,
    params: Type.Object({
      key: IdempotencyKey,
      /** Left out: every mail that waits or was given up. */
      id: Type.Optional(Id),
    }),
    result: Type.Object({ retried: Count }),
    errors: ['MAIL_UNKNOWN', 'MAIL_ENDED', 'MAIL_OFF', 'KEY_REUSED'],
    text: 'Tries again now: mails that were given up, and those that wait for a pause to end.',
  }),
  'mail.retry.preview': request({
    paths: ['admin'],
    least: 'admin',
    changes: false,
    params: Type.Object({ id: Type.Optional(Id) }),
    result: Type.Object({ retried: Count }),
    errors: ['MAIL_UNKNOWN', 'MAIL_ENDED', 'MAIL_OFF'],
    text: 'What `mail.retry` would say now.',
  }),
} as const;
