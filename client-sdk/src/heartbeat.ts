import { HEARTBEAT_FRACTION, HEARTBEAT_JITTER } from '@berth/protocol';
import type { Connection } from './connection.js';
import { asBerthError } from './errors.js';
import type { CancelTimer, Host } from './host.js';
import type { Link } from './link.js';
import { newNonce, randomBetween } from './random.js';
import type { RenewalRequest, SeatBook } from './seat-book.js';
import { elapsedMs, type Reading, readClock } from './seat-clock.js';
import { RENEW_ANSWER_FRACTION, timing } from './timing.js';

/** A renewal that the server refused for the moment is tried again after this part of D. */
const RETRY_FRACTION = 1 / 10;

/** Renews all seats of a session every D/3 +- 10 % (I2), and takes them up again on a new connection. */
export class Heartbeat {
  readonly #host: Host;
  readonly #book: SeatBook;
  readonly #link: () => Link;
  #timer: CancelTimer | null = null;
  #due: { since: Reading; afterMs: number } | null = null;
  #beating = false;
  /** Another beat is wanted as soon as the one under way is over. */
  #again = false;

  /** @param link looked up at each beat: the link reports to this heartbeat in its turn */
  constructor(host: Host, book: SeatBook, link: () => Link) {
    this.#host = host;
    this.#book = book;
    this.#link = link;
  }

  /** A seat was taken: its first renewal is due no later than its own D asks. */
  seatTaken(): void {
    const due = this.#due;
    const shortestMs = this.#book.shortestMs;
    if (shortestMs === null) return;
    const leftMs = due === null ? null : due.afterMs - elapsedMs(due.since, readClock(this.#host.clock));
    if (leftMs === null || leftMs > shortestMs * HEARTBEAT_FRACTION) this.#schedule(HEARTBEAT_FRACTION);
  }

  /** A seat that the server was told is idle is in use again: it must not be taken back for what was true a while ago. */
  usedAgain(): void {
    if (this.#beating) this.#again = true;
    else void this.#beat();
  }

  /** On a new connection: binds the live leases to the new session and renews them, in one frame. @throws BerthError */
  async resume(connection: Connection): Promise<void> {
    const leases = this.#book.liveLeaseIds;
    if (leases.length > 0) await this.#resumeLeases(connection, leases);
    this.#schedule(HEARTBEAT_FRACTION);
  }

  stop(): void {
    this.#timer?.();
    this.#timer = null;
    this.#due = null;
  }

  #schedule(fraction: number): void {
    this.stop();
    const shortestMs = this.#book.shortestMs;
    if (shortestMs === null) return;
    const jitter = randomBetween(this.#host, 1 - HEARTBEAT_JITTER, 1 + HEARTBEAT_JITTER);
    this.#due = { since: readClock(this.#host.clock), afterMs: shortestMs * fraction * jitter };
    this.#wait();
  }

  #wait(): void {
    const due = this.#due;
    if (due === null) return;
    const leftMs = due.afterMs - elapsedMs(due.since, readClock(this.#host.clock));
    const look = () => {
      if (elapsedMs(due.since, readClock(this.#host.clock)) >= due.afterMs) void this.#beat();
      else this.#wait();
    };
    this.#timer = this.#host.setTimer(look, Math.min(Math.max(0, Math.ceil(leftMs)), timing.lookMs));
  }

  async #beat(): Promise<void> {
    const { connection } = this.#link();
    // Without a connection the next one resumes; a beat under way schedules the next itself.
    if (connection === null || this.#beating) return;
    this.#beating = true;
    try {
      await this.#renew(connection);
      this.#schedule(HEARTBEAT_FRACTION);
    } catch (thrown) {
      const error = asBerthError(thrown);
      this.#book.troubled(error);
      if (error.code === 'TIMEOUT') this.#link().drop(connection, error);
      this.#schedule(RETRY_FRACTION);
    } finally {
      this.#beating = false;
    }
    if (this.#again) {
      this.#again = false;
      void this.#beat();
    }
  }

  async #renew(connection: Connection): Promise<void> {
    const leases = this.#book.liveLeaseIds;
    if (leases.length === 0) return;
    const request = this.#request();
    const idle = this.#book.tellIdle();
    const params = { nonce: request.nonce, ...(idle.length === 0 ? {} : { idle }) };
    const answer = await connection.call('lease.renew', params, this.#answerMs());
    const named = this.#book.apply(answer, request);
    // A lease the server did not renew is not bound to this session: its checkout was answered on an earlier one.
    const live = new Set(this.#book.liveLeaseIds);
    const unbound = leases.filter((id) => live.has(id) && !named.has(id));
    if (unbound.length > 0) await this.#resumeLeases(connection, unbound);
  }

  async #resumeLeases(connection: Connection, leases: string[]): Promise<void> {
    const request = this.#request();
    const params = { leases, nonce: request.nonce };
    this.#book.apply(await connection.call('session.resume', params, this.#answerMs()), request);
  }

  /** Read just before the frame leaves: each renewal counts from there (I2). */
  #request(): RenewalRequest {
    return { since: readClock(this.#host.clock), nonce: newNonce(this.#host) };
  }

  /** A renewal unanswered for this long means a half-open connection. */
  #answerMs(): number {
    const partMs = (this.#book.shortestMs ?? 0) * RENEW_ANSWER_FRACTION;
    return Math.min(timing.renewAnswerMaxMs, Math.max(timing.renewAnswerMinMs, partMs));
  }
}
