import { type ErrorCode, type ErrorRow, errors } from './errors.js';

/** What an error is over HTTP, where its kind alone would not say it. */
const byCode: { readonly [C in ErrorCode]?: number } = {
  METHOD_UNKNOWN: 404,
  NO_PRODUCT: 404,
  FRAME_INVALID: 400,
  REQUEST_INVALID: 400,
  INTERNAL: 500,
  // 401: sign again. The others of their kind stay 403: a better signature changes nothing.
  SIGNATURE_INVALID: 401,
  CHALLENGE_STALE: 401,
  REQUEST_REPLAYED: 401,
  RATE_LIMITED: 429,
  BUSY: 429,
  DRAINING: 503,
  DISK_LOW: 503,
  CLOCK_BEHIND: 503,
};

/** By the exit code of `berth`, which sorts all errors by what they mean to whoever asked. */
const byKind: { readonly [E in ErrorRow['exit']]: number } = {
  1: 409,
  2: 400,
  3: 409,
  4: 403,
  5: 503,
  6: 404,
  7: 409,
  8: 409,
};

/** The HTTP status of an error (PROTOCOL 13.4). Programs match on `code`; the status is for what stands in between. */
export function httpStatusOf(code: ErrorCode): number {
  return byCode[code] ?? byKind[errors[code].exit];
}
