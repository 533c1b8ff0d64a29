import type { ErrorCode, Method, ParamsOf, ResultOf } from '@berth/protocol';
import type { Connection } from './connection.js';
import { asBerthError, type BerthError } from './errors.js';
import type { Host } from './host.js';
import { randomBetween } from './random.js';
import { type Reading, readClock } from './seat-clock.js';
import { timing } from './timing.js';
import { sleep, throwIfAborted } from './waiting.js';

/** Where connections come from: a link. */
export interface Connections {
  connected(limitMs: number, signal: AbortSignal | undefined): Promise<Connection>;
  drop(connection: Connection, reason: BerthError): void;
}

export interface Repeatable {
  /** Stops it before it was ever sent; afterwards it goes on, since it may have changed something. */
  readonly signal?: AbortSignal | undefined;
  /** Told the clocks just before the request first leaves: a retry never moves that moment (I2). */
  readonly onFirstSend?: ((reading: Reading) => void) | undefined;
  /** How long to wait for a connection before it was ever sent, ms. Default: `timing.unsentMs`. */
  readonly unsentMs?: number | undefined;
  /** How long to go on once it was sent, ms. Default: `timing.answerMs`. */
  readonly answerMs?: number | undefined;
  /** How long one answer may take on a connection that lives, ms. Default: `timing.requestMs`. */
  readonly requestMs?: (() => number) | undefined;
}

/** Answers that only say "not now", before a request is looked at: it is sent again, unchanged. */
export const busyCodes: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['BUSY', 'RATE_LIMITED', 'DRAINING']);

/**
 * Sends a request until it is answered: again on a new connection when one broke or does not answer, again after a moment when the
 * server was busy. The idempotency key in `params` makes that harmless (I7).
 * @param params made anew for each time it is sent, where a retry may say something else. @throws BerthError
 */
export async function repeat<M extends Method>(
  connections: Connections,
  host: Host,
  method: M,
  params: ParamsOf<M> | (() => ParamsOf<M>),
  options: Repeatable,
): Promise<ResultOf<M>> {
  const { unsentMs = timing.unsentMs, answerMs = timing.answerMs } = options;
  const startMs = host.clock.monoMs();
  let sent = false;
  for (;;) {
    const leftMs = startMs + (sent ? answerMs : unsentMs) - host.clock.monoMs();
    const connection = await connections.connected(leftMs, sent ? undefined : options.signal);
    if (!sent) {
      throwIfAborted(options.signal);
      options.onFirstSend?.(readClock(host.clock));
      sent = true;
    }
    try {
      const limitMs = options.requestMs?.() ?? timing.requestMs;
      return await connection.call(method, typeof params === 'function' ? params() : params, limitMs);
    } catch (thrown) {
      const error = asBerthError(thrown);
      const over = host.clock.monoMs() >= startMs + answerMs;
      await prepareRetry(connections, host, connection, error, over);
    }
  }
}

/** @throws BerthError the error itself when sending again would not help */
async function prepareRetry(
  connections: Connections,
  host: Host,
  connection: Connection,
  error: BerthError,
  over: boolean,
): Promise<void> {
  // No answer: the connection is dead, whatever TCP still believes.
  const late = error.code === 'TIMEOUT';
  if (late) connections.drop(connection, error);
  const unanswered = late || connection.endReason === error;
  if (over || (!unanswered && !busyCodes.has(error.code))) throw error;
  if (!unanswered) await sleep(host, randomBetween(host, timing.busyMinMs, timing.busyMaxMs));
}
