import {
  type AdminConnection,
  BerthError,
  type CheckoutOptions,
  type Client,
  type Host,
  newIdempotencyKey,
  type Seat,
} from '@berth/client';
import { connectWith } from '@berth/client/internal';
import type { Dice } from './sim-random.js';
import type { Computer, Site } from './site.js';

/** How long a client does nothing between two things it does, ms. */
const THINKS_MS = 90_000;
const MAX_SEATS = 2;

/** What a client of the workload shares with the run. */
export interface Life {
  readonly site: Site;
  readonly computer: Computer;
  readonly product: string;
  readonly dice: Dice;
  /** From now on: give everything back and end. */
  isEnding(): boolean;
}

/**
 * One process of a plugin: it checks out, holds, releases, borrows and returns at random. Refusals are part of life; what is no BerthError is
 * a violation.
 */
export async function live(life: Life, host: Host): Promise<void> {
  const { site } = life;
  try {
    for (;;) {
      const client = await connect(life, host);
      if (client !== null) return await useClient(life, client, host);
      if (life.isEnding()) return;
      await nap(host, life.dice.about(10_000));
    }
  } catch (error) {
    site.violation(`a client failed with ${error instanceof Error ? error.stack : String(error)}`);
  }
}

async function connect({ site, product }: Life, host: Host): Promise<Client | null> {
  try {
    return await connectWith(host, { product, vendorKeys: [site.vendorKey] });
  } catch (error) {
    if (error instanceof BerthError && error.code !== 'INTERNAL') return null;
    throw error;
  }
}

async function useClient(life: Life, client: Client, host: Host): Promise<void> {
  const seats = new Set<Seat>();
  while (!life.isEnding()) {
    await nap(host, life.dice.about(THINKS_MS));
    await refusable(() => step(life, client, seats));
  }
  for (const seat of seats) await seat.release();
  seats.clear();
  for (let tries = 0; tries < 20 && (await client.borrows()).length > 0; tries++) {
    await refusable(() => client.returnBorrow());
    await nap(host, 5_000);
  }
  await client.close();
}

async function step({ dice }: Life, client: Client, seats: Set<Seat>): Promise<void> {
  for (const seat of seats) if (seat.state === 'lost' || seat.state === 'released') await drop(seat, seats);
  const roll = dice.below(100);
  if (roll < 50 && seats.size < MAX_SEATS) seats.add(await client.checkout(wish(dice)));
  else if (roll < 55) {
    const [seat] = seats;
    if (dice.chance(0.6)) seat?.idle();
    else seat?.active();
  } else if (roll < 75) {
    const [seat] = seats;
    if (seat !== undefined) await drop(seat, seats);
  } else if (roll < 82) {
    await client.borrow({ seconds: dice.between(60, 3_600), autoExtend: dice.chance(0.2) });
  } else if (roll < 92) {
    // A seat that uses the borrow has to go first (IN_USE).
    for (const seat of seats) if (seat.kind === 'borrow') await drop(seat, seats);
    if ((await client.borrows()).length > 0) await client.returnBorrow();
  } else {
    await client.status();
  }
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
async function drop(seat: Seat, seats: Set<Seat>): Promise<void> {
  seats.delete(seat);
  await seat.release();
}

async function refusable(work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof BerthError) || error.code === 'INTERNAL') throw error;
  }
}

function nap(host: Host, ms: number): Promise<void> {
  return new Promise((resolve) => host.setTimer(resolve, ms));
}

/** Who administers, and with what. */
export interface Office {
  readonly site: Site;
  readonly admin: AdminConnection;
  readonly host: Host;
  readonly dice: Dice;
  readonly people: readonly string[];
  readonly products: readonly string[];
  isEnding(): boolean;
}

/** An admin at work: allocations, forced releases, new revisions of entitlements, and a look at the pools. */
export async function administer(office: Office): Promise<void> {
  const { site, host, dice } = office;
  try {
    while (!office.isEnding()) {
      await nap(host, dice.about(60_000));
      await refusable(() => administerOnce(office));
    }
  } catch (error) {
    site.violation(`an admin failed with ${error instanceof Error ? error.stack : String(error)}`);
  }
}

async function administerOnce(office: Office): Promise<void> {
  const { admin, host, dice, people, products } = office;
  const key = newIdempotencyKey(host);
  const [email, product] = [dice.pick(people), dice.pick(products)];
  const roll = dice.below(100);
  if (roll < 35) await admin.call('pool.status', {});
  else if (roll < 55)
    await admin.call('allocation.assign', { key, email, product, quantity: dice.between(1, 2) });
  else if (roll < 70) await takeBack(office, key);
  else if (roll < 80) await disturbOne(office, key);
  else if (roll < 86) await arrange(office, key, product);
  else await revise(office, key);
}

async function takeBack({ admin, dice }: Office, key: string): Promise<void> {
  const { items } = await admin.call('allocation.list', {});
  if (items.length === 0) return;
  const { email, product, quantity } = dice.pick(items);
  const how = dice.pick([{}, {}, { pending: true }, { cancel: true }]);
  await admin.call('allocation.revoke', { key, email, product, quantity: dice.between(1, quantity), ...how });
}

/** Settings of a pool, and whether what is not allocated is for everybody. */
async function arrange({ admin, dice }: Office, key: string, product: string): Promise<void> {
  if (dice.chance(0.5)) {
    const running = dice.pick(['drain', 'cut'] as const);
    await admin.call('sharing.set', { key, product, on: dice.chance(0.6), running });
  } else {
    const lingerSeconds = dice.pick([null, null, 60, 300]);
    await admin.call('pool.set', { key, product, lingerSeconds, idleSeconds: dice.pick([null, 120]) });
  }
}

/** A seat is taken away, now or after a warning, or its holder gets a message. */
async function disturbOne({ admin, dice }: Office, key: string): Promise<void> {
  const { items } = await admin.call('lease.list', {});
  if (items.length === 0) return;
  const lease = dice.pick(items).id;
  const roll = dice.below(4);
  if (roll < 2) await admin.call('lease.revoke', { key, lease });
  else if (roll < 3) await admin.call('lease.revoke', { key, lease, inSeconds: dice.between(1, 300) });
  else await admin.call('lease.message', { key, lease, text: 'The render farm needs this seat at six.' });
}

/** Before the last accounts: what is not allocated is for everybody. */
export async function openPools({ admin, host, products }: Pick<Office, 'admin' | 'host' | 'products'>) {
  for (const product of products) {
    await admin.call('sharing.set', { key: newIdempotencyKey(host), product, on: true });
    await admin.call('pool.set', {
      key: newIdempotencyKey(host),
      product,
      lingerSeconds: null,
      idleSeconds: null,
    });
  }
}

/** The vendor sells more seats, or fewer. The admin asks until there is an answer. */
async function revise({ site, admin, host, dice }: Office, key: string): Promise<void> {
  const { jti } = dice.pick([...site.entitlements.values()]);
  const entitlement = site.entitlement({ jti, seats: dice.between(1, 4) });
  for (;;) {
    try {
      await admin.call('entitlement.import', { key, entitlement });
      return;
    } catch (error) {
      if (!(error instanceof BerthError) || !unanswered.has(error.code)) throw error;
      await nap(host, 5_000);
    }
  }
}

/** Whether it was done is not known. */
const unanswered = new Set(['TIMEOUT', 'CONNECTION_LOST', 'UNREACHABLE', 'DRAINING', 'RATE_LIMITED', 'BUSY']);
