import { type ErrorFrame, errorCodeOf, type Holder, isErrorCode } from '@berth/protocol';
import { BerthError } from './errors.js';
import { isRecord, listOf, object, oneOf, orNull, text, whole } from './shape.js';

const holderShape = object({
  user: text,
  device: text,
  seats: whole,
  kind: oneOf('online', 'borrow', 'held'),
  sinceMs: whole,
  untilMs: whole,
});
const holdersShape = listOf(holderShape);
const textOrNull = orNull(text);
const wholeOrNull = orNull(whole);

/**
 * The error a server answered with. The number decides; a code this version does not know is kept in `detail` and never
 * retried (PROTOCOL 3.2).
 */
export function serverError(frame: ErrorFrame): BerthError {
  const data = isRecord(frame.data) ? frame.data : {};
  const named = text(data.code);
  const code =
    errorCodeOf(frame.number) ?? (named !== undefined && isErrorCode(named) ? named : 'METHOD_UNKNOWN');
  const holders: readonly Holder[] = holdersShape(data.holders) ?? [];
  return new BerthError(code, {
    message: frame.message,
    hint: textOrNull(data.next) ?? undefined,
    rule: textOrNull(data.rule) ?? null,
    holders,
    nextFreeAtMs: wholeOrNull(data.nextFreeAtMs) ?? null,
    detail: data,
  });
}

/** An answer that is not of the protocol: the two ends do not fit. */
export function notOfTheProtocol(method: string, field: string): BerthError {
  return new BerthError('INTERNAL', {
    message: `The server's answer to ${method} is not of the protocol (${field}).`,
    hint: 'Check the versions of client and server: `berth whoami`.',
  });
}
