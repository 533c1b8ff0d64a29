import type { AdminConnection } from '@berth/client';
import type { Dice } from './sim-random.js';

/** Results are kept for an hour (PROTOCOL 8). */
const KNOWN_MS = 30 * 60_000;

/** The clock is vouched for when it is right, and a backup begins anew whenever it is asked for (PROTOCOL 7.82). */
const ONCE: ReadonlySet<string> = new Set(['clock.accept', 'backup.begin']);

interface Asked {
  readonly atMs: number;
  again(): Promise<unknown>;
}

/**
 * The channel of somebody whose script lost its answers and runs once more, minutes later and with the keys it had: over restarts, and over a state that was made
 * anew, nothing may be done twice (I7). What was told is compared by the auditor.
 */
export class AskedBefore {
  readonly admin: AdminConnection;
  readonly #nowMs: () => number;
  #asked: Asked[] = [];

  /** @param keeps whether the server will tell the same to whoever asks with that key again */
  constructor(admin: AdminConnection, nowMs: () => number, keeps: (key: string) => boolean) {
    this.#nowMs = nowMs;
    const call: AdminConnection['call'] = async (method, params) => {
      const answer = await admin.call(method, params);
      if ('key' in params && !ONCE.has(method) && keeps(params.key))
        this.#asked.push({ atMs: nowMs(), again: () => admin.call(method, params) });
      return answer;
    };
    const close = (): Promise<void> => admin.close();
    this.admin = {
      get me() {
        return admin.me;
      },
      ...{ context: admin.context, call, close, [Symbol.asyncDispose]: close },
    };
  }

  /** @param sinceMs what was asked before was asked of another server */
  async askAgain(dice: Dice, sinceMs: number): Promise<void> {
    const fromMs = Math.max(sinceMs, this.#nowMs() - KNOWN_MS);
    this.#asked = this.#asked.filter(({ atMs }) => atMs > fromMs);
    if (this.#asked.length > 0) await dice.pick(this.#asked).again();
  }
}
