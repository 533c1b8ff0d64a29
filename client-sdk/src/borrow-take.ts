import { type ErrorCode, limits, type ParamsOf, parseToken, type ResultOf, requests } from '@berth/protocol';
import type { Borrow, BorrowOptions } from './api.js';
import type { BorrowDesk } from './borrow-desk.js';
import type { Extension } from './borrow-file.js';
import { returnStored } from './borrow-return.js';
import { asBerthError, BerthError } from './errors.js';
import type { PendingTake } from './pending.js';
import { newKey, newNonce } from './random.js';
import { signStop } from './release.js';
import { type CheckedLease, tokenInvalid } from './token-check.js';
import { throwIfAborted, unattended, undoIfLate, unlessAborted } from './waiting.js';
import { seatCount } from './wants.js';

type Grant = ResultOf<'borrow.take'>;

const returnedMeanwhile =
  'The seat was borrowed, and another process of this device has returned it meanwhile.';

/** Answers after which it is sure that the request has taken nothing. */
const notTaken = new Set<ErrorCode>([
  ...requests['borrow.take'].errors.filter((code) => code !== 'DRAINING'),
  'PARAMS_INVALID',
  'METHOD_UNKNOWN',
]);

/**
 * Borrows seats: the request is on disk before it is sent and the borrow before this resolves (I7).
 * @throws BerthError CANCELLED (what is lent meanwhile is returned), BORROW_UNKNOWN (another process has returned it before this resolved),
 * and whatever `borrow.take` is answered with
 */
export async function takeBorrow(desk: BorrowDesk, product: string, options: BorrowOptions): Promise<Borrow> {
  const { host } = desk.session;
  const { signal } = options;
  const request = {
    key: newKey(host),
    product,
    seats: seatCount(options.seats),
    seconds: borrowSeconds(options.seconds),
    wallMs: Math.round(host.clock.wallMs()),
    nonce: newNonce(host),
    extend: extensionOf(options),
  };
  throwIfAborted(signal);
  await desk.pending.begin('take', request);
  const work = performTake(desk, request, false, signal);
  return undoIfLate(work, unlessAborted(work, signal), (borrow) =>
    returnStored(desk, [borrow.id], undefined),
  );
}

/**
 * Sends the request, exactly as it was first sent, until it is answered. With the clock reading of then, a request that the server
 * has never seen is refused after a few minutes (CLOCK_SKEW): nobody borrows a seat days after they wanted it.
 * @param sent it may have left before: what the server has lent must not be forgotten
 * @throws BerthError
 */
export async function performTake(
  desk: BorrowDesk,
  request: Omit<PendingTake, 'owner' | 'createdAtMs'>,
  sent: boolean,
  signal?: AbortSignal,
): Promise<Borrow> {
  const { key, product, seats, seconds, wallMs, nonce } = request;
  const params: ParamsOf<'borrow.take'> = { key, product, seats, seconds, wallMs, nonce };
  const onFirstSend = () => {
    sent = true;
  };
  try {
    const grant = await desk.session.link.request('borrow.take', params, { signal, onFirstSend });
    return await keep(desk, params, grant, request.extend);
  } catch (thrown) {
    const error = asBerthError(thrown);
    const settled = !sent || notTaken.has(error.code) || error.code === 'TOKEN_INVALID';
    if (settled) await desk.pending.end('take', key);
    else desk.pending.leave(key);
    throw error;
  }
}

async function keep(
  desk: BorrowDesk,
  params: ParamsOf<'borrow.take'>,
  grant: Grant,
  extend: Extension | null,
): Promise<Borrow> {
  const { shelf, pending, seats } = desk;
  const leases = verified(desk, params, grant);
  const { earlyReturn, freeAtMs } = grant;
  const takenAtMs = Math.round(desk.session.host.clock.wallMs());
  await shelf.store(leases, { takenAtMs, earlyReturn, freeAtMs, take: params.key, extend });
  await pending.end('take', params.key);
  // A session may last for weeks, with an extension every day: what came before them is not kept until it ends.
  const serverNowMs = Math.min(...leases.map(({ claims }) => claims.iat * 1000));
  await shelf.tidy(serverNowMs).catch(() => undefined);
  if (seats !== null) await seats.borrowed.adopt(seats.online());
  const ids = leases.map(({ claims }) => claims.jti);
  // Another process of this device may have extended the same seat meanwhile: it is one borrow, whichever lease names it.
  const stored = (await shelf.all()).find(({ borrow }) => borrow.leaseIds.some((id) => ids.includes(id)));
  if (stored === undefined) throw new BerthError('BORROW_UNKNOWN', { message: returnedMeanwhile });
  return stored.borrow;
}

/** @throws BerthError TOKEN_INVALID; what cannot be verified cannot be used and is given back */
function verified(desk: BorrowDesk, params: ParamsOf<'borrow.take'>, grant: Grant): CheckedLease[] {
  const { check, host } = desk.session;
  try {
    check.learn(grant);
    const expected = { products: [params.product], kind: 'borrow' as const, nonce: params.nonce };
    const leases = grant.leases.map((token) => check.require(token, expected));
    if (leases.some(({ claims }) => claims.exp * 1000 <= host.clock.wallMs())) throw tokenInvalid('EXPIRED');
    const lent = leases.reduce((sum, { claims }) => sum + claims.n, 0);
    if (lent < params.seats) throw tokenInvalid('LEASE_TOO_FEW_SEATS');
    return leases;
  } catch (thrown) {
    unattended(giveBack(desk, grant));
    throw thrown;
  }
}

async function giveBack({ session }: BorrowDesk, grant: Grant): Promise<void> {
  const stops = grant.leases.slice(0, 12).flatMap((token) => {
    const parsed = parseToken('lease', token);
    return parsed.ok ? [signStop(session, parsed.token.claims.jti)] : [];
  });
  if (stops.length > 0) await session.link.request('borrow.return', { key: newKey(session.host), stops });
}

/** @throws BerthError PARAMS_INVALID */
function extensionOf({ seconds, autoExtend, extendBeforeSeconds: before }: BorrowOptions): Extension | null {
  if (!(autoExtend ?? before !== undefined)) return null;
  const beforeSeconds = before ?? Math.min(Math.ceil(seconds / 4), EXTEND_BEFORE_MAX_SECONDS);
  if (Number.isInteger(beforeSeconds) && beforeSeconds >= 1 && beforeSeconds < seconds)
    return { seconds, beforeSeconds };
  throw new BerthError('PARAMS_INVALID', {
    message: 'extendBeforeSeconds must be an integer of at least 1 and less than the borrow lasts.',
    detail: { field: 'extendBeforeSeconds' },
  });
}

/** A borrow of a week is extended a day before its end, not two: whoever is online daily loses nothing. */
const EXTEND_BEFORE_MAX_SECONDS = 86_400;

/** @throws BerthError PARAMS_INVALID */
export function borrowSeconds(seconds: number): number {
  if (Number.isInteger(seconds) && seconds >= 1 && seconds <= limits.borrowSeconds) return seconds;
  throw new BerthError('PARAMS_INVALID', {
    message: `seconds must be an integer from 1 to ${limits.borrowSeconds}.`,
    detail: { field: 'seconds' },
  });
}
