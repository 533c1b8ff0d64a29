import { setTimeout as pause } from 'node:timers/promises';
import { BerthError, type Client, type Seat } from '@berth/client';
import { Random } from './random.js';

/** How many seats one plugin has at most. */
const SEATS = 2;

/** Checks out, holds, releases, borrows and returns at random, for ever. Refusals are part of life; anything else is not. */
export async function chaos(client: Client, seed: number): Promise<never> {
  const random = new Random(seed);
  const seats = new Set<Seat>();
  for (;;) {
    try {
      await step(client, random, seats);
    } catch (error) {
      // A fault of ours must not look like one more refusal: the process ends, and the test sees it.
      if (!(error instanceof BerthError) || error.code === 'INTERNAL') throw error;
      process.stdout.write(`${JSON.stringify({ event: 'refused', code: error.code, rule: error.rule })}\n`);
    }
    await pause(random.between(20, 250));
  }
}

async function step(client: Client, random: Random, seats: Set<Seat>): Promise<void> {
  for (const seat of seats) if (seat.state === 'lost' || seat.state === 'released') await drop(seat, seats);
  const dice = random.next();
  if (dice < 0.45 && seats.size < SEATS) {
    seats.add(await client.checkout({ seats: random.chance(0.2) ? 2 : 1, wait: random.between(0, 800) }));
  } else if (dice < 0.7) {
    const seat = [...seats].at(random.between(0, Math.max(0, seats.size - 1)));
    if (seat !== undefined) await drop(seat, seats);
  } else if (dice < 0.8) {
    await client.borrow({ seconds: 3600 });
  } else if (dice < 0.92) {
    // A seat that uses the borrow has to go first (IN_USE).
    for (const seat of seats) if (seat.kind === 'borrow') await drop(seat, seats);
    if ((await client.borrows()).length > 0) await client.returnBorrow();
  } else {
    await client.status();
  }
}

/** Also what was lost: only the plugin can say that it has stopped. */
async function drop(seat: Seat, seats: Set<Seat>): Promise<void> {
  seats.delete(seat);
  await seat.release();
}
