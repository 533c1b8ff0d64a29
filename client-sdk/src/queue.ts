import type { PushParams } from '@berth/protocol';
import type { QueuedNotice } from './api.js';
import { asBerthError } from './errors.js';
import { newNonce } from './random.js';
import type { SeatBook } from './seat-book.js';
import type { Session } from './session.js';
import { timing } from './timing.js';
import { sleep } from './waiting.js';

/** The checkouts of one client that wait in line on the server, by key. */
export class Queue {
  readonly #listeners = new Map<string, (notice: QueuedNotice) => void>();

  /** @returns a function that ends the subscription */
  listen(key: string, listener: (notice: QueuedNotice) => void): () => void {
    this.#listeners.set(key, listener);
    return () => void this.#listeners.delete(key);
  }

  told({ checkout, ...notice }: PushParams<'lease.queued'>): void {
    try {
      this.#listeners.get(checkout)?.(notice);
    } catch {
      // Whatever the plugin makes of it, the wait goes on.
    }
  }
}

/**
 * Notices a connection that has died while a checkout waits: nothing else would be sent on it. Seats that are held have their heartbeat.
 * Ends with the signal.
 */
export async function watchConnection(
  { host, link }: Session,
  book: SeatBook,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    await sleep(host, timing.waitProbeMs, signal);
    const { connection } = link;
    if (connection === null || book.live.length > 0) continue;
    try {
      await connection.call('lease.renew', { nonce: newNonce(host) }, timing.requestMs);
    } catch (thrown) {
      const error = asBerthError(thrown);
      if (error.code === 'TIMEOUT') link.drop(connection, error);
    }
  }
}
