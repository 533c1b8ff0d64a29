import { limits } from './limits.js';
import { request } from './message-row.js';
import { Count, Id, IdempotencyKey, WallMs } from './schemas.js';
import Type, { type Static } from './typebox.js';

// What a plugin is told before anything happens to its seat.

/** As typed by a person; the server makes it canonical (plain-text.ts) and answers MESSAGE_INVALID itself. */
export const ReasonText = Type.String({ maxLength: limits.reasonChars });

/** A seat will end although it is renewed: what a plugin should tell its user in time. */
export const LeaseWarning = Type.Object({
  /** LEASE_REVOKED: an admin takes it back then. ENTITLEMENT_EXPIRED: as things are, nothing carries it further. */
  code: Type.Enum(['LEASE_REVOKED', 'ENTITLEMENT_EXPIRED']),
  /** When the right ends, by the server's clock. */
  atMs: WallMs,
  /** The same, counted from this frame: for a client whose clock differs. */
  inMs: Count,
  reason: Type.String({ maxLength: limits.reasonChars }),
  /** Who takes it back, or `null`. */
  by: Type.Union([Type.String(), Type.Null()]),
});
export type LeaseWarning = Static<typeof LeaseWarning>;

export const noticeRequests = {
  'lease.message': request({
    paths: ['admin'],
    least: 'admin',
    changes: true,
    params: Type.Object({
      key: IdempotencyKey,
      lease: Id,
      text: Type.String({ minLength: 1, maxLength: limits.messageChars }),
    }),
    result: Type.Object({ lease: Id, delivered: Type.Boolean() }),
    errors: ['LEASE_UNKNOWN', 'MESSAGE_INVALID', 'KEY_REUSED'],
    text: 'Shows a message to the person at the plugin that holds a lease, if it is connected now.',
  }),
  'lease.keep': request({
    paths: ['admin'],
    least: 'admin',
    changes: true,
    params: Type.Object({ key: IdempotencyKey, lease: Id }),
    result: Type.Object({ lease: Id, kept: Type.Boolean() }),
    errors: ['LEASE_UNKNOWN', 'KEY_REUSED'],
    text: 'Calls off a forced release that was set for later; the plugin is told.',
  }),
} as const;
