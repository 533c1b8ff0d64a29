import type { ParamsOf, ResultOf } from '@berth/protocol';
import type { CheckoutOptions } from './api.js';
import { asBerthError, BerthError } from './errors.js';
import type { Heartbeat } from './heartbeat.js';
import type { Host } from './host.js';
import type { LeaseRecord } from './lease-record.js';
import { type Queue, watchConnection } from './queue.js';
import { newKey, newNonce, randomBetween } from './random.js';
import { isFinal, releaseGrant, releaseSeat } from './release.js';
import { type GiveBack, HeldSeat, type SeatLease } from './seat.js';
import type { SeatBook } from './seat-book.js';
import { elapsedMs, onlineRight, type Reading, readClock } from './seat-clock.js';
import type { Session } from './session.js';
import { RENEW_FIRST_FRACTION, timing } from './timing.js';
import { type CheckedLease, tokenInvalid } from './token-check.js';
import { sleep, throwIfAborted, unattended, unlessAborted, within } from './waiting.js';
import { type Want, waitOf } from './wants.js';

/** Where seats are taken: over one session. */
export interface Counter {
  readonly session: Session;
  readonly book: SeatBook;
  readonly heartbeat: Heartbeat;
  readonly record: LeaseRecord;
  readonly queue: Queue;
  /** Checkouts under way: a client that closes ends them, and gives back what they still get. */
  readonly underWay: Set<UnderWay>;
  /** From then on none begins: what it got would have nobody to renew it, or to give it back. */
  isClosing(): boolean;
}

export interface UnderWay {
  cancel(): void;
  /** Resolves when it is certain that nothing is left of it. */
  readonly over: Promise<void>;
}

/** One checkout as it is asked for, however often it is sent. */
interface Asking {
  readonly wants: readonly Want[];
  readonly key: string;
  readonly nonce: string;
  /** When its wait is over, ms on the monotonic clock. */
  readonly untilMs: number;
}

/**
 * Asks the server for seats, which lets it wait in line while it has none. A lost connection and a restart of the server are no end of
 * the wait: the same checkout is asked again, with its key (I7).
 * @throws BerthError
 */
export async function takeSeats(
  counter: Counter,
  wants: readonly Want[],
  options: CheckoutOptions,
): Promise<HeldSeat> {
  const { host } = counter.session;
  const untilMs = host.clock.monoMs() + waitOf(options.wait);
  for (let refusals = 0; ; refusals++) {
    const asking = { wants, key: newKey(host), nonce: newNonce(host), untilMs };
    try {
      return await takeWithin(counter, asking, options);
    } catch (thrown) {
      const error = asBerthError(thrown);
      const stillMs = untilMs - host.clock.monoMs();
      // For a seat the server has waited as long as it may. What else may pass is a state of the server: no line stands at it.
      if (!error.retryable || error.code === 'NO_SEAT' || stillMs <= 0) throw error;
      await sleep(host, Math.min(stillMs, askAgainMs(host, refusals)), options.signal);
    }
  }
}

/** Between half and all of a limit that doubles: a state that lasts for hours must not be asked after every second by everybody who waits. */
function askAgainMs(host: Host, refusals: number): number {
  const limitMs = Math.min(timing.askAgainMaxMs, timing.askAgainMinMs * 2 ** Math.min(refusals, 10));
  return limitMs * randomBetween(host, 0.5, 1);
}

/** The caller waits no longer than this; the request itself goes on, and what it still gets is given back (PROTOCOL 8). */
function takeWithin(counter: Counter, asking: Asking, options: CheckoutOptions): Promise<HeldSeat> {
  const { host, link } = counter.session;
  if (counter.isClosing()) throw new BerthError('CANCELLED', { message: 'The client was closed.' });
  const givenUp = new AbortController();
  const closing = new AbortController();
  const work = takeOnce(counter, asking, options, givenUp.signal);
  const late = () => link.trouble ?? new BerthError('TIMEOUT');
  const waitMs = asking.untilMs - host.clock.monoMs();
  const limitMs = Math.max(timing.answerMs, waitMs + timing.requestMs);
  const cancellable = unlessAborted(unlessAborted(work, options.signal), closing.signal);
  const waited = within(host, cancellable, limitMs, late);
  const undone = waited.catch(async () => {
    givenUp.abort();
    await work.then((seat) => seat.release());
  });
  const over = undone.then(
    () => void counter.underWay.delete(underWay),
    () => void counter.underWay.delete(underWay),
  );
  const underWay: UnderWay = { cancel: () => closing.abort(), over };
  counter.underWay.add(underWay);
  return waited;
}

/** @param givenUp aborted when nobody waits for it any more: it goes on only to learn what it got */
async function takeOnce(
  counter: Counter,
  asking: Asking,
  options: CheckoutOptions,
  givenUp: AbortSignal,
): Promise<HeldSeat> {
  const { session, record } = counter;
  throwIfAborted(options.signal);
  const { key, nonce, wants } = asking;
  await record.asking({ key, nonce, wants });
  const sent: { since: Reading | null } = { since: null };
  const onFirstSend = (reading: Reading) => {
    sent.since = reading;
  };
  const grant = await ask(counter, asking, options, givenUp, onFirstSend).catch(async (thrown: unknown) => {
    // Never sent, the server knows nothing of it: asked by the next start it would take a seat for nobody.
    if (sent.since === null || isFinal(asBerthError(thrown))) await record.answered(key, []);
    throw thrown;
  });
  try {
    const leases = await inTime(counter, verified(session, grant, asking, sent.since!));
    const seat = seatOf(counter, leases, asking.wants, grant.joined);
    await record.answered(key, seat.leaseIds);
    return seat;
  } catch (thrown) {
    unattended(releaseGrant(session, grant.leases).then(() => record.answered(key, [])));
    throw thrown;
  }
}

/** Sends the checkout until it is answered. @param onFirstSend told the clocks just before it is first sent (I2) */
async function ask(
  { session, book, queue, record }: Counter,
  { wants, key, nonce, untilMs }: Asking,
  { signal, onQueued }: CheckoutOptions,
  givenUp: AbortSignal,
  onFirstSend: (reading: Reading) => void,
): Promise<ResultOf<'lease.checkout'>> {
  const { host, link } = session;
  const leftMs = () => (givenUp.aborted ? 0 : Math.max(0, Math.round(untilMs - host.clock.monoMs())));
  const params = (): ParamsOf<'lease.checkout'> => {
    const waitMs = leftMs();
    return { key, wants: wants.map((want) => ({ ...want })), nonce, ...(waitMs > 0 ? { waitMs } : {}) };
  };
  const waits = leftMs() > 0;
  const over = new AbortController();
  const stopListening = onQueued === undefined ? () => {} : queue.listen(key, onQueued);
  const cancel = () => unattended(link.request('lease.cancelWait', { checkout: key }));
  if (waits) {
    unattended(watchConnection(session, book, over.signal));
    unattended(record.keepAsking(key, over.signal));
    givenUp.addEventListener('abort', cancel, { once: true });
  }
  try {
    // Until a seat granted at the end of the wait would have ended: asking anew before that could take a second one (PROTOCOL 8).
    const lastsMs = link.me === null ? timing.answerMs : link.me.leaseSeconds * 1000;
    return await link.request('lease.checkout', params, {
      signal,
      unsentMs: Math.max(timing.unsentMs, leftMs()),
      answerMs: leftMs() + lastsMs,
      requestMs: () => leftMs() + timing.requestMs,
      onFirstSend,
    });
  } finally {
    over.abort();
    givenUp.removeEventListener('abort', cancel);
    stopListening();
  }
}

/** @throws BerthError TOKEN_INVALID */
function verified(
  { check }: Session,
  grant: ResultOf<'lease.checkout'>,
  { wants, nonce }: Asking,
  since: Reading,
): SeatLease[] {
  check.learn(grant);
  const leases = grant.leases.map((token) =>
    leaseOf(
      check.require(token, { products: wants.flatMap(({ products }) => products), kind: 'online', nonce }),
      since,
    ),
  );
  for (const want of wants) {
    if (partOf(want, leases) === null) throw tokenInvalid('LEASE_TOO_FEW_SEATS');
  }
  return leases;
}

function leaseOf({ claims, pair }: CheckedLease, since: Reading): SeatLease {
  const right = onlineRight(since, claims.dur * 1000);
  return { id: claims.jti, seat: claims.seat, product: claims.product, seats: claims.n, pair, right };
}

/** What a want got: seats of one of its products, enough of them; `null` when it did not. */
function partOf(
  { products, seats }: Want,
  leases: readonly SeatLease[],
): { product: string; seats: number } | null {
  const product = products.find((one) => leases.some((lease) => lease.product === one));
  const granted = leases.filter((lease) => lease.product === product);
  const sum = granted.reduce((total, lease) => total + lease.seats, 0);
  return product === undefined || sum < seats ? null : { product, seats };
}

/**
 * After a wait the leases are renewed before they count: their time began when the checkout was first sent, which is long ago, and when
 * they were granted nobody here knows (I2, decision 0006).
 * @throws BerthError TIMEOUT when they have ended meanwhile
 */
async function inTime({ session }: Counter, leases: SeatLease[]): Promise<SeatLease[]> {
  const { host, link, check } = session;
  const shortestMs = Math.min(...leases.map(({ right }) => right.durationMs));
  const oldMs = elapsedMs(leases[0]!.right.since, readClock(host.clock));
  if (oldMs <= shortestMs * RENEW_FIRST_FRACTION) return leases;
  const nonce = newNonce(host);
  let since = readClock(host.clock);
  const ids = leases.map(({ id }) => id);
  const answer = await link.request(
    'session.resume',
    { leases: ids, nonce },
    {
      answerMs: shortestMs,
      onFirstSend: (reading) => {
        since = reading;
      },
    },
  );
  check.learn(answer);
  const renewed = leases.map((lease) => {
    const row = answer.leases.find((each) => each.lease === lease.id);
    if (row?.token === undefined)
      throw new BerthError('TIMEOUT', {
        message: 'The seat had ended before it could be used.',
        detail: { ...row },
      });
    const checked = check.require(row.token, { products: [lease.product], kind: 'online', nonce });
    if (checked.claims.jti !== lease.id || checked.claims.n !== lease.seats)
      throw tokenInvalid('LEASE_OTHER_LEASE');
    return leaseOf(checked, since);
  });
  if (elapsedMs(since, readClock(host.clock)) >= shortestMs)
    throw new BerthError('TIMEOUT', { message: 'The answer took longer than the seat lasts.' });
  return renewed;
}

function seatOf(
  { session, book, heartbeat, record }: Counter,
  leases: readonly SeatLease[],
  wants: readonly Want[],
  joined: boolean,
): HeldSeat {
  const parts = wants.flatMap((want) => partOf(want, leases) ?? []);
  const giveBack: GiveBack = async (held, revoked) => {
    const ids = held.map((lease) => lease.id);
    if (await releaseSeat(session, held, revoked)) record.remove(ids);
    book.remove(ids);
  };
  const facts = { parts, kind: 'online' as const, joined, leases };
  const seat = new HeldSeat(session.host, facts, giveBack, () => heartbeat.usedAgain());
  book.add(seat);
  // Borrowed by another process of this device: then it need not be lost when the server is gone.
  seat.on('grace', () => unattended(book.intoBorrow(seat)));
  heartbeat.seatTaken();
  return seat;
}
