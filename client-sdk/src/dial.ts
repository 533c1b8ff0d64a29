import type { ErrorCode, ParamsOf } from '@berth/protocol';
import type { Me } from './api.js';
import type { Connection, PushHandlers } from './connection.js';
import { asBerthError, BerthError, type ServerAttempt } from './errors.js';
import { type Identity, openSession } from './handshake.js';
import type { Host } from './host.js';
import { type Reached, Reaching } from './reach.js';
import type { Trust } from './trust.js';
import { cancelled, throwIfAborted } from './waiting.js';

/** Everything that is the same at each attempt to connect. */
export interface DialPlan {
  readonly host: Host;
  /** `host:port`, tried in order; none twice. */
  readonly addresses: readonly string[];
  readonly trust: Trust;
  readonly identity: Identity;
  witness(): ParamsOf<'session.open'>['witness'];
}

export interface Dialled {
  readonly connection: Connection;
  readonly me: Me;
}

/**
 * Tries every server in order, overlapping where one is slow, until one opens a session.
 * @throws BerthError with every server tried in `servers`; CANCELLED
 */
export async function dial(
  plan: DialPlan,
  pushes: PushHandlers,
  signal: AbortSignal | undefined,
): Promise<Dialled> {
  throwIfAborted(signal);
  const reaching = new Reaching(plan, pushes, signal);
  try {
    for (;;) {
      const reached = await reaching.next();
      if (reached === null) throw summary(reaching.failures);
      try {
        return await openOn(plan, reached, signal);
      } catch (thrown) {
        const error = asBerthError(thrown);
        if (error.code === 'CANCELLED') throw error;
        reaching.failed(reached.address, error);
      }
    }
  } finally {
    reaching.end();
  }
}

async function openOn(
  plan: DialPlan,
  { address, connection }: Reached,
  signal: AbortSignal | undefined,
): Promise<Dialled> {
  const onAbort = () => connection.close(cancelled());
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    throwIfAborted(signal);
    const {
      signature: _,
      readmits,
      ...opened
    } = await openSession(plan.host, connection, plan.identity, plan.witness());
    connection.readmits = readmits === true;
    return { connection, me: { ...opened, address } };
  } catch (thrown) {
    connection.close(asBerthError(thrown));
    throw thrown;
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
}

/** Codes that say a server was not reached, rather than what it answered. */
const reachCodes = new Set<ErrorCode>(['UNREACHABLE', 'TIMEOUT', 'CONNECTION_LOST', 'CERTIFICATE_UNTRUSTED']);

/** Codes after which this identity is not going to be accepted by trying again. */
const refusalCodes = new Set<ErrorCode>([
  'DEVICE_UNKNOWN',
  'SIGNATURE_INVALID',
  'NOT_ALLOWED',
  'SUPERSEDED',
  'BINDING_REQUIRED',
]);

/** True when every server that was tried answered that it does not accept this identity. */
export function isRefusal(error: BerthError): boolean {
  return error.servers.length > 0 && error.servers.every((attempt) => refusalCodes.has(attempt.code));
}

/** One error for all attempts: what a server that was reached said, else a certificate problem, else UNREACHABLE. */
function summary(failures: readonly { address: string; error: BerthError }[]): BerthError {
  const servers: ServerAttempt[] = failures.map(({ address, error }) => ({
    address,
    code: error.code,
    message: error.message,
  }));
  const telling =
    failures.find(({ error }) => !reachCodes.has(error.code)) ??
    failures.find(({ error }) => error.code === 'CERTIFICATE_UNTRUSTED');
  if (telling !== undefined) {
    const { code, message, hint, detail } = telling.error;
    return new BerthError(code, { message, hint, detail, servers });
  }
  const tried = servers.map(({ address, message }) => `${address}: ${message}`).join(' ');
  return new BerthError('UNREACHABLE', { message: `No licence server can be reached. ${tried}`, servers });
}
