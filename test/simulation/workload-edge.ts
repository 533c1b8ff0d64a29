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
    for (const seat of seats) site.sawState(computer, host.process.id, seat.state, seat.leaseIds);
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
