import { setTimeout as pause } from 'node:timers/promises';
import { BerthError, type Client, type Seat } from '@berth/client';
import { step } from './life.js';
import { Random } from './random.js';

const upTo = { checkout: 0.45, release: 0.7, borrow: 0.8, giveBack: 0.92 };

/** Checks out, holds, releases, borrows and returns at random, for ever. Refusals are part of life; anything else is not. */
export async function chaos(client: Client, seed: number): Promise<never> {
  const random = new Random(seed);
  const seats = new Set<Seat>();
  for (;;) {
    try {
      await step(client, random, seats, upTo);
    } catch (error) {
      // A fault of ours must not look like one more refusal: the process ends, and the test sees it.
      if (!(error instanceof BerthError) || error.code === 'INTERNAL') throw error;
      process.stdout.write(`${JSON.stringify({ event: 'refused', code: error.code, rule: error.rule })}\n`);
    }
    await pause(random.between(20, 250));
  }
}
