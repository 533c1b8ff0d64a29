import { type Client, type Host, newIdempotencyKey, type Seat } from '@berth/client';
import { openLeaseWith } from '@berth/client/internal';
import { signToken } from '@berth/protocol';
import { HttpDevice } from './http-device.js';
import { refusable } from './refusable.js';
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

/** Longer than any pool allows. */
const IDLE_SECONDS = 10_000;

/** A shell script renews whatever its computer has, and says that nobody uses it: a borrow is none the less there (I8). */
export async function sayBorrowIsIdle({ site, computer, dice }: Life, client: Client): Promise<void> {
  const borrows = await client.borrows();
  if (borrows.length === 0) return;
  const { leaseIds: leases } = dice.pick(borrows);
  const device = await HttpDevice.of(site.startScript(computer));
  const idle = leases.map((lease) => ({ lease, seconds: IDLE_SECONDS }));
  await device.ask('/v1/renew', { leases, nonce: device.newNonce(), idle });
}

/**
 * Jobs of a computer are known by their number, whichever of its processes gets to them: the same one is often paid for again, in the same hour or
 * after the next crash.
 */
const JOBS = 12;
/** A long job is paid for in so many parts. */
const PARTS = 6;

export async function spendCredits(life: Life, client: Client): Promise<void> {
  const { dice } = life;
  if (dice.chance(0.1)) return client.credits.request(dice.between(1, 60));
  const refused = await refusable(() =>
    dice.chance(0.6) ? payInParts(life, client) : payOnce(life, client),
  );
  if (refused === 'CREDIT_LIMIT' && dice.chance(0.5)) await client.credits.request(dice.between(1, 60));
}

async function payInParts({ dice }: Life, client: Client): Promise<void> {
  for (let parts = dice.between(1, PARTS); parts > 0; parts--)
    await client.credits.consume(dice.between(1, 6));
}

async function payOnce({ dice, computer, product }: Life, client: Client): Promise<void> {
  const job = dice.below(JOBS);
  const key = `job-of-${computer.name}-0000-${job}`;
  await client.credits.consume(1 + (job % 6), { key, product });
  // Somebody wrote it down wrongly: another sum under the key of a job is no retry of it.
  if (dice.chance(0.2)) await client.credits.consume(2 + (job % 6), { key, product });
}
