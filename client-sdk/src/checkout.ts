import { limits, type ResultOf } from '@berth/protocol';
import type { CheckoutOptions } from './api.js';
import { asBerthError, BerthError } from './errors.js';
import type { Heartbeat } from './heartbeat.js';
import type { LeaseRecord } from './lease-record.js';
import { newKey, newNonce, randomBetween } from './random.js';
import { releaseGrant, releaseSeat } from './release.js';
import { type GiveBack, HeldSeat, type SeatLease } from './seat.js';
import type { SeatBook } from './seat-book.js';
import { onlineRight, type Reading, readClock, stateOf } from './seat-clock.js';
import type { Session } from './session.js';
import { timing } from './timing.js';
import { tokenInvalid } from './token-check.js';
import { sleep, throwIfAborted, unattended, undoIfLate, unlessAborted, within } from './waiting.js';

/** Where seats are taken: one product over one session. */
export interface Counter {
  readonly session: Session;
  readonly product: string;
  readonly book: SeatBook;
  readonly heartbeat: Heartbeat;
  readonly record: LeaseRecord;
}

type Grant = ResultOf<'lease.checkout'>;

/**
 * Asks the server for seats; while `wait` runs, asks again when it has none. Each question has a fresh key: a refusal is not
 * kept by the server, and the time of a seat counts from the question that got it (I2, I7).
 * @throws BerthError
 */
export async function takeSeats(counter: Counter, options: CheckoutOptions): Promise<HeldSeat> {
  const { host } = counter.session;
  const seats = seatCount(options.seats);
  const untilMs = host.clock.monoMs() + (options.wait ?? 0);
  for (;;) {
    const leftMs = untilMs - host.clock.monoMs();
    try {
      return await takeWithin(counter, seats, Math.max(timing.answerMs, leftMs), options.signal);
    } catch (thrown) {
      const error = asBerthError(thrown);
      const stillMs = untilMs - host.clock.monoMs();
      // More than the organisation owns will never come free, however long one waits.
      if (!error.retryable || error.rule === 'MORE_THAN_OWNED' || stillMs <= 0) throw error;
      await sleep(host, Math.min(stillMs, askAgainMs(counter.session, error)), options.signal);
    }
  }
}

/** The caller waits no longer than this; the request itself goes on, and what it still gets is given back (PROTOCOL 8). */
function takeWithin(
  counter: Counter,
  seats: number,
  limitMs: number,
  signal: AbortSignal | undefined,
): Promise<HeldSeat> {
  const { host, link } = counter.session;
  const work = takeOnce(counter, seats, signal);
  const late = () => link.trouble ?? new BerthError('TIMEOUT');
  const waited = within(host, unlessAborted(work, signal), limitMs, late);
  return undoIfLate(work, waited, (seat) => seat.release());
}

/** @throws BerthError PARAMS_INVALID */
export function seatCount(seats = 1): number {
  if (Number.isInteger(seats) && seats >= 1 && seats <= limits.seatsPerCheckout) return seats;
  throw new BerthError('PARAMS_INVALID', {
    message: `seats must be an integer from 1 to ${limits.seatsPerCheckout}.`,
    detail: { field: 'seats' },
  });
}

function askAgainMs({ host }: Session, error: BerthError): number {
  const jitteredMs = randomBetween(host, timing.askAgainMinMs, timing.askAgainMaxMs);
  if (error.nextFreeAtMs === null) return jitteredMs;
  const freeInMs = error.nextFreeAtMs - host.clock.wallMs();
  return Math.max(timing.askAgainFloorMs, Math.min(jitteredMs, freeInMs));
}

async function takeOnce(counter: Counter, seats: number, signal: AbortSignal | undefined): Promise<HeldSeat> {
  const { session, product } = counter;
  const { host, link } = session;
  throwIfAborted(signal);
  const nonce = newNonce(host);
  let since = readClock(host.clock);
  const grant = await link.request(
    'lease.checkout',
    { key: newKey(host), wants: [{ products: [product], seats }], nonce },
    {
      signal,
      // Until the seat would have ended: asking anew before that could take a second one (PROTOCOL 8).
      answerMs: link.me === null ? timing.answerMs : link.me.leaseSeconds * 1000,
      onFirstSend: (reading) => {
        since = reading;
      },
    },
  );
  try {
    const seat = seatOf(counter, grant, { seats, nonce, since });
    await counter.record.add(seat.leaseIds);
    return seat;
  } catch (thrown) {
    unattended(releaseGrant(session, grant.leases));
    throw thrown;
  }
}

/** @throws BerthError TOKEN_INVALID, or TIMEOUT when the answer took longer than the seat lasts */
function seatOf(
  { session, product, book, heartbeat, record }: Counter,
  grant: Grant,
  asked: { seats: number; nonce: string; since: Reading },
): HeldSeat {
  const { host, check } = session;
  check.learn(grant.entitlements);
  const leases: SeatLease[] = grant.leases.map((token) => {
    const { claims, pair } = check.require(token, { product, kind: 'online', nonce: asked.nonce });
    const right = onlineRight(asked.since, claims.dur * 1000);
    return { id: claims.jti, seat: claims.seat, seats: claims.n, pair, right };
  });
  const granted = leases.reduce((sum, lease) => sum + lease.seats, 0);
  if (granted < asked.seats) throw tokenInvalid('LEASE_TOO_FEW_SEATS');
  const rights = leases.map((lease) => lease.right);
  if (stateOf(rights, readClock(host.clock)) === 'lost') {
    throw new BerthError('TIMEOUT', { message: 'The answer took longer than the seat lasts.' });
  }
  const facts = { product, seats: asked.seats, kind: 'online' as const, joined: grant.joined, leases };
  const giveBack: GiveBack = async (held, revoked) => {
    const ids = held.map((lease) => lease.id);
    if (await releaseSeat(session, held, revoked)) record.remove(ids);
    book.remove(ids);
  };
  const seat = new HeldSeat(host, facts, giveBack, () => heartbeat.usedAgain());
  book.add(seat);
  // Borrowed by another process of this device: then it need not be lost when the server is gone.
  seat.on('grace', () => unattended(book.intoBorrow(seat)));
  heartbeat.seatTaken();
  return seat;
}
