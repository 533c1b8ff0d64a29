import type { Client, Seat } from '@berth/client';
import type { Random } from './random.js';

/** Below which number from 0 to 1 each is done, in this order; above all of them the status is asked for. */
export interface Odds {
  readonly checkout: number;
  readonly release: number;
  readonly borrow: number;
  readonly giveBack: number;
}

/** How many seats one plugin has at most. */
const SEATS = 2;

/** One thing that a plugin does, at random. Rejects with what the SDK rejects with. @param seats those that it has, kept by this */
export async function step(client: Client, random: Random, seats: Set<Seat>, upTo: Odds): Promise<void> {
  for (const seat of seats) if (seat.state === 'lost' || seat.state === 'released') await drop(seat, seats);
  const dice = random.next();
  if (dice < upTo.checkout && seats.size < SEATS) {
    seats.add(await client.checkout({ seats: random.chance(0.2) ? 2 : 1, wait: random.between(0, 800) }));
  } else if (dice < upTo.release) {
    const seat = [...seats].at(random.between(0, Math.max(0, seats.size - 1)));
    if (seat !== undefined) await drop(seat, seats);
  } else if (dice < upTo.borrow) {
    await client.borrow({ seconds: 3600 });
  } else if (dice < upTo.giveBack) {
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
