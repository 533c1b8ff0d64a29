import type { ErrorCode } from '@berth/protocol';
import type { Context } from '../context.js';
import { Failure } from '../fail.js';
import { cancelledFailure } from '../session.js';

/** One thing that was looked at. `fix` says what to do; `null` when nothing is wrong. */
export interface Check {
  /** Stable; of a server, with its address behind a colon. */
  readonly name: string;
  readonly state: 'ok' | 'warn' | 'fail';
  readonly detail: string;
  readonly fix: string | null;
  /** Of what failed: its row of the error catalogue says how `berth doctor` exits. */
  readonly code?: ErrorCode;
}

export const ok = (name: string, detail: string): Check => ({ name, state: 'ok', detail, fix: null });

export const warn = (name: string, detail: string, fix: string): Check => ({
  name,
  state: 'warn',
  detail,
  fix,
});

export const fail = (name: string, code: ErrorCode, detail: string, fix: string): Check => ({
  name,
  state: 'fail',
  detail,
  fix,
  code,
});

/** Longer than this a person at a prompt would give up on a server. */
const patienceMs = 10_000;

/** Does the work with a signal that is aborted by Ctrl-C and when it takes too long. Rejects then, CANCELLED or TIMEOUT. */
export async function inTime<T>(context: Context, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  if (context.signal.aborted) throw cancelledFailure();
  const over = new AbortController();
  const abort = () => over.abort();
  context.signal.addEventListener('abort', abort, { once: true });
  const stop = context.processes.after(patienceMs, abort);
  const late = new Promise<never>((_, reject) => {
    over.signal.addEventListener('abort', () => reject(lateOrCancelled(context)), { once: true });
  });
  try {
    return await Promise.race([work(over.signal), late]);
  } finally {
    stop();
    context.signal.removeEventListener('abort', abort);
  }
}

function lateOrCancelled({ signal }: Context): Failure {
  if (signal.aborted) return cancelledFailure();
  const seconds = patienceMs / 1000;
  return new Failure('TIMEOUT', { message: `no answer within ${seconds} s` });
}

/** Why something was thrown, short. */
export function whyOf(thrown: unknown): string {
  if (thrown instanceof AggregateError && thrown.errors.length > 0) return whyOf(thrown.errors[0]);
  const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  // OpenSSL tells where in its source it was.
  if (text.includes('SSL routines'))
    return 'what answers speaks another protocol, or another version of this one';
  return sentences[code] ?? text.trim();
}

const sentences: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'the connection was reset',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to the network',
  ENOTFOUND: 'there is no such name',
  ENODATA: 'there is no such record',
  EAI_AGAIN: 'no name server answers',
  ETIMEDOUT: 'no answer',
};
