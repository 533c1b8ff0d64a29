import { limits } from './limits.js';
import { request } from './message-row.js';
import { UserInfo } from './messages-lease.js';
import {
  Count,
  EarlyReturn,
  EmailText,
  Id,
  IdempotencyKey,
  KeyText,
  ProductId,
  TokenText,
  WallMs,
} from './schemas.js';
import Type from './typebox.js';

/** What a machine returned in a file. */
const Stopped = { device: KeyText, stops: Type.Array(TokenText, { minItems: 1, maxItems: 12 }) };
const Returned = Type.Object({ returned: Type.Array(Type.Object({ lease: Id, freeAtMs: WallMs })) });
const stopRefusals = ['DEVICE_UNKNOWN', 'BORROW_UNKNOWN', 'STOP_INVALID'] as const;

const Grant = {
  request: TokenText,
  /** Whose machine it is, when its key is not enrolled yet. */
  email: Type.Optional(EmailText),
};
const grantRefusals = [
  'BORROW_FILE_INVALID',
  'SIGNATURE_INVALID',
  'SERVER_MISMATCH',
  'REQUEST_EXPIRED',
  'CLOCK_SKEW',
  'EMAIL_INVALID',
  'NAME_INVALID',
  'USER_UNKNOWN',
  'DEVICE_UNKNOWN',
  'NOT_ALLOWED',
  'NO_PRODUCT',
  'NO_SEAT',
  'BORROW_NOT_ALLOWED',
  'BORROW_TOO_LONG',
  'BORROW_LIMIT',
  'REVOKE_PENDING',
  'CLOCK_BEHIND',
  'DISK_LOW',
  'KEY_REUSED',
] as const;

/** What an admin carries for a machine that no network reaches (PROTOCOL 4.9). */
export const offlineRequests = {
  'borrow.grant': request({
    paths: ['admin'],
    least: 'admin',
    changes: true,
    params: Type.Object({ key: IdempotencyKey, ...Grant }),
    result: Type.Object({
      leases: Type.Array(TokenText, { minItems: 1 }),
      entitlements: Type.Array(TokenText, { minItems: 1 }),
      /** As in `borrow.take`. */
      endorsements: Type.Optional(Type.Array(TokenText, { maxItems: limits.endorsementsRead })),
      freeAtMs: WallMs,
      earlyReturn: EarlyReturn,
      device: Type.Object({ id: Id, name: Type.String() }),
      user: UserInfo,
      server: Type.Object({ id: Id, key: KeyText }),
      organisation: Type.Object({ name: Type.String() }),
    }),
    errors: [...grantRefusals],
    text: 'Lends seats to a machine that asked in a file. The same request always gets the same answer.',
  }),
  'borrow.grant.preview': request({
    paths: ['admin'],
    least: 'admin',
    changes: false,
    params: Type.Object(Grant),
    result: Type.Object({
      product: ProductId,
      seats: Count,
      freeAtMs: WallMs,
      earlyReturn: EarlyReturn,
      device: Type.Object({
        name: Type.String(),
        /** It is not enrolled yet, and would be. */
        enrols: Type.Boolean(),
      }),
      user: UserInfo,
    }),
    errors: [...grantRefusals],
    text: 'What `borrow.grant` would say now, but for the tokens.',
  }),
  'borrow.accept': request({
    paths: ['admin'],
    least: 'admin',
    changes: true,
    params: Type.Object({ key: IdempotencyKey, ...Stopped }),
    result: Returned,
    errors: [...stopRefusals, 'KEY_REUSED'],
    text: 'Takes back what a machine returned in a file, by the stops its key signed.',
  }),
  'borrow.accept.preview': request({
    paths: ['admin'],
    least: 'admin',
    changes: false,
    params: Type.Object(Stopped),
    result: Returned,
    errors: [...stopRefusals],
    text: 'What `borrow.accept` would say now.',
  }),
} as const;

/** How old a request in a file may be when it is granted, milliseconds. Its age is added to the hold: so far the machine's clock may be behind. */
export const OFFLINE_REQUEST_AGE_MS = limits.offlineRequestMs;
