import { type Client, type Host, newIdempotencyKey, type Seat } from '@berth/client';
import { openLeaseWith } from '@berth/client/internal';
import { signToken } from '@berth/protocol';
import type { Life } from './workload.js';

/** How often a plugin looks at its seats, ms. */
const LOOKS_MS = 40_000;

/**
 * What the plugin sees of its seats, for the auditor: also just after a suspended process goes on.
 * @returns what is to be called when there may be seats to look at: whoever has none looks at nothing
 */
export function watchSeats({ site, computer }: Life, seats: ReadonlySet<Seat>, host: Host): () => void {
  let isLooking = false;
  const look = (): void => {
    for (const seat of seats) site.sawState(computer, host.process.id, seat);
    isLooking = seats.size > 0;
    if (isLooking) host.setTimer(look, LOOKS_MS);
  };
  return () => {
    if (!isLooking) look();
  };
}

/** Somebody who has the session but not the key returns a borrow: the stop is not signed by the device (I8). */
export async function forgeReturn({ dice }: Life, client: Client, host: Host): Promise<void> {
  const borrows = await client.borrows();
  if (borrows.length === 0) return;
  const { leaseIds, tokens } = dice.pick(borrows);
  const dev = JSON.parse(Buffer.from(tokens[0]!.lease.split('.')[1]!, 'base64url').toString()).dev as string;
  const iat = Math.floor(host.clock.wallMs() / 1000);
  const stops = leaseIds.map((jti) => signToken('stop', { jti, dev, iat }, () => dice.bytes(64)));
  const channel = await openLeaseWith(host, {});
  try {
    await channel.call('borrow.return', { key: newIdempotencyKey(host), stops });
  } finally {
    await channel.close();
  }
}

/**
 * Jobs of a computer are known by their number, whichever of its processes gets to them: the same one is often paid for again, in the same hour or
 * after the next crash.
 */
const JOBS = 12;

export async function spendCredits({ dice, computer, product }: Life, client: Client): Promise<void> {
  if (dice.chance(0.15)) return client.credits.request(dice.between(1, 60));
  if (dice.chance(0.4)) {
    await client.credits.consume(dice.between(1, 6));
    return;
  }
  const job = dice.below(JOBS);
  const key = `job-of-${computer.name}-0000-${job}`;
  await client.credits.consume(1 + (job % 6), { key, product });
  // Somebody wrote it down wrongly: another sum under the key of a job is no retry of it.
  if (dice.chance(0.2)) await client.credits.consume(2 + (job % 6), { key, product });
}
