import { type ErrorCode, errors, limits, onlineWindowMs, parseToken, signToken } from '@berth/protocol';
import { asBerthError, type BerthError } from './errors.js';
import type { Host } from './host.js';
import { newKey } from './random.js';
import { busyCodes } from './repeat.js';
import type { SeatLease } from './seat.js';
import { elapsedMs, readClock } from './seat-clock.js';
import type { Session } from './session.js';
import { timing } from './timing.js';

/** PROTOCOL 9: codes with these numbers and below are raised by clients themselves. */
const CLIENT_SIDE = -33_100;

/** With a stop each. */
export const LEASES_PER_RELEASE = limits.stopsPerRelease;

/**
 * Gives leases back, again and again through reconnects until the server has answered or their window has ended anyhow. Never
 * rejects: whatever goes wrong, the window frees the seat (I2).
 * @param revoked sends stops signed by this device: only now has the plugin said that it stopped
 * @returns false when the client was closed before that: the server may still count them
 */
export async function releaseSeat(
  session: Session,
  leases: readonly SeatLease[],
  revoked: boolean,
): Promise<boolean> {
  const now = readClock(session.host.clock);
  const leftMs = leases.map(({ right }) => onlineWindowMs(right.durationMs) - elapsedMs(right.since, now));
  const patienceMs = Math.max(timing.requestMs, ...leftMs);
  const ids = leases.map((lease) => lease.id);
  return releaseLeases(session, ids, revoked, patienceMs);
}

/** Gives back leases that never became a seat here: the caller had cancelled, or they do not verify. */
export async function releaseGrant(session: Session, tokens: readonly string[]): Promise<void> {
  await releaseLeases(session, leaseIdsOf(tokens), false, timing.answerMs);
}

/** What tokens are about, unverified: enough to give it back. */
export function leaseIdsOf(tokens: readonly string[]): string[] {
  return tokens.flatMap((token) => {
    const parsed = parseToken('lease', token);
    return parsed.ok ? [parsed.token.claims.jti] : [];
  });
}

/**
 * After this answer to a changing request it is certain that it has done nothing, and will not: the server had looked for its key before
 * (I7). What may be said before that (`saidUnseen`), and what this side says itself, leaves it open: it may have been done when it was sent
 * before.
 */
export function isFinal({ code, detail }: BerthError): boolean {
  // The end of a connection has a code of the server too, and answers nothing.
  return errors[code].number > CLIENT_SIDE && !saidUnseen.has(code) && detail.closeCode === undefined;
}

/** Answers to a request that nobody may have looked at. */
const saidUnseen: ReadonlySet<ErrorCode> = new Set([...busyCodes, 'INTERNAL']);

async function releaseLeases(
  session: Session,
  ids: readonly string[],
  revoked: boolean,
  patienceMs: number,
): Promise<boolean> {
  const batches: string[][] = [];
  for (let at = 0; at < ids.length; at += LEASES_PER_RELEASE) {
    batches.push(ids.slice(at, at + LEASES_PER_RELEASE));
  }
  const settled = await Promise.all(
    batches.map((batch) => releaseBatch(session, batch, revoked, patienceMs)),
  );
  return settled.every(Boolean);
}

async function releaseBatch(
  session: Session,
  ids: string[],
  withStops: boolean,
  patienceMs: number,
): Promise<boolean> {
  const stops = withStops ? { stops: ids.map((id) => signStop(session, id)) } : {};
  const params = { key: newKey(session.host), leases: ids, ...stops };
  try {
    await session.link.request('lease.release', params, {
      unsentMs: patienceMs,
      answerMs: patienceMs,
    });
    return true;
  } catch (thrown) {
    const { code } = asBerthError(thrown);
    // Revoked while the push was lost. The plugin has stopped: it has just said so.
    if (code === 'STOP_REQUIRED' && !withStops) return releaseBatch(session, ids, true, patienceMs);
    return code !== 'CANCELLED';
  }
}

/** This device's signed word that it no longer uses a lease (PROTOCOL 4.5). */
export function signStop({ host, check, key }: Pick<Session, 'host' | 'check' | 'key'>, id: string): string {
  return signToken('stop', { jti: id, dev: check.deviceKey, iat: wallSeconds(host) }, (message) =>
    key.sign(message),
  );
}

function wallSeconds(host: Host): number {
  return Math.floor(host.clock.wallMs() / 1000);
}
