import type { Connection } from './connection.js';
import { asBerthError, type BerthError } from './errors.js';
import type { Asked, LeaseRecord, Orphans } from './lease-record.js';
import { newKey } from './random.js';
import { isFinal, LEASES_PER_RELEASE, leaseIdsOf, signStop } from './release.js';
import type { Session } from './session.js';
import { timing } from './timing.js';

/** Records looked at in one go: more crashes than this between two starts come next time. */
const RECORDS_AT_ONCE = 64;

/**
 * Gives back what crashed processes of this device still hold on the server, so that nobody is locked out by their own ghost
 * (PROTOCOL 8). Only what `LeaseRecord` is certain of. Never throws: what does not work now is left to the next start or to the window.
 */
export class Ghosts {
  readonly #session: Session;
  readonly #record: LeaseRecord;
  #running: Promise<void> | null = null;
  #hasFailed = false;

  constructor(session: Session, record: LeaseRecord) {
    this.#session = session;
    this.#record = record;
  }

  /** Resolves when their seats are free, or when that takes too long. A client that failed once leaves it to others. */
  release(): Promise<void> {
    this.#running ??= this.#releaseAll()
      .catch(() => {
        this.#hasFailed = true;
      })
      .finally(() => {
        this.#running = null;
      });
    return this.#running;
  }

  async #releaseAll(): Promise<void> {
    if (this.#hasFailed) return;
    const orphans = (await this.#record.orphans()).slice(0, RECORDS_AT_ONCE);
    if (orphans.length === 0) return;
    const connection = await this.#session.link.connected(timing.ghostsMs, undefined).catch(() => null);
    // Offline: with the next connection.
    if (connection === null) return;
    // First what is certain, of all of them: a checkout that cannot be cleared up now keeps none of it.
    const freed = await this.#releaseKnown(connection, orphans);
    for (const one of orphans) {
      try {
        for (const asked of one.asked) await this.#undo(connection, asked);
        if (one.leases.every((id) => freed.has(id))) await this.#record.forget(one);
        else this.#hasFailed = true;
      } catch (thrown) {
        this.#hasFailed = true;
        // Each of the others would wait as long, for nothing.
        if (asBerthError(thrown).code === 'TIMEOUT' || !connection.isOpen) return;
      }
    }
  }

  /** @returns those that are free, as far as the server answers */
  async #releaseKnown(connection: Connection, orphans: readonly Orphans[]): Promise<ReadonlySet<string>> {
    const leases = orphans.flatMap((one) => one.leases);
    const freed = new Set<string>();
    try {
      await this.#release(connection, leases, (batch) => {
        for (const id of batch) freed.add(id);
      });
    } catch {
      this.#hasFailed = true;
    }
    return freed;
  }

  /** A checkout whose answer nobody heard: what it got is given back before the next is asked. @throws BerthError as `#grantedTo` */
  async #undo(connection: Connection, asked: Asked): Promise<void> {
    await this.#release(connection, await this.#grantedTo(connection, asked));
  }

  /** @throws BerthError when the server did not answer, or not now */
  async #release(
    connection: Connection,
    leases: readonly string[],
    onFreed: (batch: readonly string[]) => void = () => {},
  ): Promise<void> {
    for (let at = 0; at < leases.length; at += LEASES_PER_RELEASE) {
      const batch = leases.slice(at, at + LEASES_PER_RELEASE);
      await this.#releaseBatch(connection, batch, false);
      onFreed(batch);
    }
  }

  /**
   * The leases of a checkout whose answer died with its process: the same key brings the same answer (I7). One that the server never saw
   * it takes as new, or refuses; what it gets then is given back a moment later.
   * @throws BerthError when the server did not answer, or not now
   */
  async #grantedTo(connection: Connection, { key, nonce, wants, askedAtMs }: Asked): Promise<string[]> {
    const ageMs = this.#session.host.clock.wallMs() - askedAtMs;
    if (Math.abs(ageMs) > timing.askedMs) return [];
    try {
      // It may still stand in line, on a connection that the server has not found dead.
      await connection.call('lease.cancelWait', { checkout: key }, timing.ghostsMs);
      // In the order of the first time: a retry is known by the hash of what it says.
      const again = {
        key,
        wants: wants.map(({ products, seats }) => ({ products: [...products], seats })),
        nonce,
      };
      const { leases } = await connection.call('lease.checkout', again, timing.ghostsMs);
      return leaseIdsOf(leases);
    } catch (thrown) {
      const error = asBerthError(thrown);
      if (isFinal(error)) return [];
      throw error;
    }
  }

  /** @throws BerthError when the server did not answer, or not now */
  async #releaseBatch(connection: Connection, leases: readonly string[], withStops: boolean): Promise<void> {
    if (leases.length === 0) return;
    const stops = withStops ? { stops: leases.map((id) => signStop(this.#session, id)) } : {};
    const params = { key: newKey(this.#session.host), leases: [...leases], ...stops };
    try {
      await connection.call('lease.release', params, timing.ghostsMs);
    } catch (thrown) {
      const error = asBerthError(thrown);
      // Revoked while the process was dying. It has stopped: it is gone.
      if (error.code === 'STOP_REQUIRED' && !withStops) {
        return this.#releaseBatch(connection, leases, true);
      }
      const others = leases.filter((id) => id !== unknownLease(error));
      if (others.length === leases.length) throw error;
      return this.#releaseBatch(connection, others, withStops);
    }
  }
}

/** Of another device since this one joined anew, or a borrow: not ours to give back. */
function unknownLease({ code, detail }: BerthError): unknown {
  return code === 'LEASE_UNKNOWN' ? detail.lease : undefined;
}
