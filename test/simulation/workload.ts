import { BerthError, type CheckoutOptions, type Client, type Host, type Seat } from '@berth/client';
import { connectWith } from '@berth/client/internal';
import { refusable } from './refusable.js';
import type { Rush } from './rush.js';
import type { Dice } from './sim-random.js';
import type { Computer, Site } from './site.js';
import type { Waiters } from './waiters.js';
import { forgeReturn, sayBorrowIsIdle, spendCredits, watchSeats } from './workload-edge.js';
import { meddle } from './workload-strangers.js';

const MAX_SEATS = 2;
/** In a rush: before it stands in line again, and how long it has its seat, ms on average. */
const RESTS_MS = 10_000;
const RUSHED_MS = 20_000;
/** A nap is cut short this soon when everybody is to come to an end, ms. */
const NAP_MS = 60_000;

/** What a client of the workload shares with the run. */
export interface Life {
  readonly site: Site;
  readonly computer: Computer;
  readonly product: string;
  readonly dice: Dice;
  readonly waiters: Waiters;
  readonly rush: Rush;
  /** How long it does nothing between two things it does, ms on average. */
  readonly thinksMs: number;
  readonly loanSeconds: number;
  /** From now on: give everything back and end. */
  isEnding(): boolean;
}

/** The server does not know this device any more: its user or machine was removed. */
const ENDED = 'DEVICE_UNKNOWN';

/**
 * One process of a plugin: it checks out, holds, releases, borrows and returns at random. Refusals are part of life; what is no BerthError is
 * a violation.
 */
export async function live(life: Life, host: Host): Promise<void> {
  const { site } = life;
  try {
    for (;;) {
      const client = await connect(life, host);
      if (client === 'REMOVED') return;
      if (client !== null) return await useClient(life, client, host);
      if (life.isEnding()) return;
      await nap(host, life.dice.about(10_000));
    }
  } catch (error) {
    site.violation(`a client failed with ${error instanceof Error ? (error.stack ?? error) : String(error)}`);
  }
}

async function connect({ site, product }: Life, host: Host): Promise<Client | null | 'REMOVED'> {
  try {
    return await connectWith(host, { product, vendorKeys: [site.vendor.key] });
  } catch (error) {
    if (!(error instanceof BerthError) || error.code === 'INTERNAL') throw error;
    return error.code === ENDED ? 'REMOVED' : null;
  }
}

async function useClient(life: Life, client: Client, host: Host): Promise<void> {
  const seats = new Set<Seat>();
  let code: string | null = null;
  const watch = watchSeats(life, seats, host);
  while (!life.isEnding() && code !== ENDED) {
    await think(life, host, () => life.isEnding() || life.rush.product !== null);
    code = await refusable(() => act(life, client, seats, host));
    watch();
    if (code === null && life.dice.chance(0.03)) await refusable(() => forgeReturn(life, client, host));
    if (code === null && life.dice.chance(0.05)) await refusable(() => sayBorrowIsIdle(life, client));
    if (code === null && life.dice.chance(0.02)) await refusable(() => meddle(life, host));
  }
  for (const seat of seats) await refusable(() => drop(life, host, seat, seats));
  for (let tries = 0; tries < 20 && (await client.borrows()).length > 0; tries++) {
    await refusable(() => client.returnBorrow());
    await nap(host, 5_000);
  }
  await client.close();
}

/** Does nothing for a while, in naps, so that whoever is to come to an end notices. */
export async function think(
  life: Pick<Life, 'dice' | 'thinksMs' | 'isEnding'>,
  host: Host,
  isOver: () => boolean = life.isEnding,
): Promise<void> {
  for (let leftMs = life.dice.about(life.thinksMs); leftMs > 0 && !isOver(); leftMs -= NAP_MS)
    await nap(host, Math.min(leftMs, NAP_MS));
}

function act(life: Life, client: Client, seats: Set<Seat>, host: Host): Promise<void> {
  const { product } = life.rush;
  return product === null ? step(life, client, seats, host) : standInLine(life, client, seats, host, product);
}

/** In a rush: what it has goes, and it wants what everybody wants, for a moment. */
async function standInLine(
  life: Life,
  client: Client,
  seats: Set<Seat>,
  host: Host,
  product: string,
): Promise<void> {
  const { dice } = life;
  await nap(host, dice.about(RESTS_MS));
  for (const seat of seats) await drop(life, host, seat, seats);
  const seat = await checkout(life, client, host, { product, wait: dice.between(60_000, 600_000) });
  seats.add(seat);
  await nap(host, dice.about(RUSHED_MS));
  if (dice.chance(0.9)) await drop(life, host, seat, seats);
}

async function step(life: Life, client: Client, seats: Set<Seat>, host: Host): Promise<void> {
  const { dice } = life;
  for (const seat of seats)
    if (seat.state === 'lost' || seat.state === 'released') await drop(life, host, seat, seats);
  const roll = dice.below(100);
  if (roll < 50 && seats.size < MAX_SEATS) seats.add(await checkout(life, client, host, wish(dice)));
  else if (roll < 55) {
    const [seat] = seats;
    if (dice.chance(0.6)) seat?.idle();
    else seat?.active();
  } else if (roll < 75) {
    const [seat] = seats;
    if (seat !== undefined) await drop(life, host, seat, seats);
  } else if (roll < 82) {
    await client.borrow({ seconds: dice.between(60, life.loanSeconds), autoExtend: dice.chance(0.2) });
  } else if (roll < 92) {
    // A seat that uses the borrow has to go first (IN_USE).
    for (const seat of seats) if (seat.kind === 'borrow') await drop(life, host, seat, seats);
    if ((await client.borrows()).length > 0) await client.returnBorrow();
  } else if (roll < 98) await spendCredits(life, client);
  else await client.status();
}

/** One in four of those who wait is not patient enough. */
async function checkout(
  { site, dice, waiters, computer }: Life,
  client: Client,
  host: Host,
  wants: CheckoutOptions,
): Promise<Seat> {
  const wait = wants.wait ?? 0;
  const giveUp = new AbortController();
  if (wait > 0 && dice.chance(0.25)) host.setTimer(() => giveUp.abort(), dice.between(1, wait));
  const asked = client.checkout({ signal: giveUp.signal, ...wants });
  const seat = await waiters.watch(computer, wait, asked);
  seat.on('lost', () => site.sawState(computer, host.process.id, seat));
  return seat;
}

/** Seats of the client's own product, of a bundle, or of whatever can be had. */
function wish(dice: Dice): CheckoutOptions {
  const wait = dice.chance(0.4) ? dice.between(1_000, 300_000) : 0;
  const roll = dice.below(10);
  if (roll < 2) return { wait, bundle: [{ product: 'render' }, { product: dice.pick(['comp', 'sim']) }] };
  if (roll < 3) return { wait, product: ['sim', 'comp'] };
  return { wait, seats: dice.chance(0.2) ? 2 : 1 };
}

/** Also what was lost: only the plugin can say that it has stopped. */
async function drop({ site, computer }: Life, host: Host, seat: Seat, seats: Set<Seat>): Promise<void> {
  seats.delete(seat);
  site.stopped(computer, host.process.id, seat);
  await seat.release();
}

export function nap(host: Host, ms: number): Promise<void> {
  return new Promise((resolve) => host.setTimer(resolve, ms));
}
