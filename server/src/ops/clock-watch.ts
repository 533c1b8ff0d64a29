/** Says in the log when the clock is no longer trusted, and when it is again (I5). */
import type { Log } from './log.js';

export const CLOCK_CODES = { behind: 'CLOCK_BEHIND', ahead: 'CLOCK_AHEAD' } as const;

interface Reading {
  readonly state: 'trusted' | keyof typeof CLOCK_CODES;
  readonly offMs: number;
}

export class ClockWatch {
  readonly #read: () => Reading;
  readonly #log: Pick<Log, 'info' | 'error'>;
  #last: Reading['state'] = 'trusted';

  constructor(read: () => Reading, log: Pick<Log, 'info' | 'error'>) {
    this.#read = read;
    this.#log = log;
  }

  /** Call it every now and then; it logs changes only. */
  look(): void {
    const { state, offMs } = this.#read();
    if (state === this.#last) return;
    this.#last = state;
    if (state === 'trusted') this.#log.info('the clock is trusted again');
    else this.#log.error({ code: CLOCK_CODES[state], offMs, next: NEXT }, SENTENCES[state]);
  }
}

const NEXT = 'Set the clock right (NTP). If it is right as it is, an admin says so: berth clock accept';
const SENTENCES = {
  behind: 'the clock is behind what was seen: nothing new is granted, renewals go on',
  ahead: 'the clock jumped ahead: borrows and entitlements end by the time that has really passed',
} as const;
