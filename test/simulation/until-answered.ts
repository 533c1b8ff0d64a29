import { BerthError } from '@berth/client';
import type { Office } from './office.js';
import { nap } from './workload.js';

/** Asks until there is an answer: whether it was done has to be known. */
export async function untilAnswered<T>({ host }: Pick<Office, 'host'>, ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof BerthError) || !unanswered.has(error.code)) throw error;
      await nap(host, 5_000);
    }
  }
}

/** Whether it was done is not known. */
const unanswered = new Set(['TIMEOUT', 'CONNECTION_LOST', 'UNREACHABLE', 'DRAINING', 'RATE_LIMITED', 'BUSY']);
