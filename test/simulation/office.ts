import { type AdminConnection, type Host, newIdempotencyKey } from '@berth/client';
import type { AskedBefore } from './asked-before.js';
import { carryFiles } from './island.js';
import { lookBack } from './office-audit.js';
import { makeBackup } from './office-backup.js';
import { lookAtJobs, workInBulk } from './office-bulk.js';
import { administerCredits } from './office-credits.js';
import { employ, loginOf } from './office-people.js';
import { pruneJournal } from './office-prune.js';
import { refusable } from './refusable.js';
import type { Dice } from './sim-random.js';
import type { Computer, Site } from './site.js';
import { untilAnswered } from './until-answered.js';
import { think } from './workload.js';
import { administerMore } from './workload-office.js';

/** Who administers, and with what. */
export interface Office {
  readonly site: Site;
  readonly admin: AdminConnection;
  readonly before: AskedBefore;
  readonly host: Host;
  readonly dice: Dice;
  readonly people: readonly string[];
  readonly products: readonly string[];
  /** A computer that no network reaches: files are carried to it. */
  readonly island: Computer;
  /** How long an admin does nothing between two things, ms on average. */
  readonly thinksMs: number;
  /** A new computer joins with the link, and a plugin runs on it from then on. */
  hire(email: string, link: string): void;
  isEnding(): boolean;
}

/** What it takes to ask for something that has to do with none of the people. */
export type Desk = Pick<Office, 'site' | 'admin' | 'host' | 'dice'>;

/** An admin at work. Refusals are part of it. */
export async function administer(office: Office): Promise<void> {
  const { site, host } = office;
  try {
    while (!office.isEnding()) {
      await think(office, host);
      await refusable(() => administerOnce(office));
    }
  } catch (error) {
    site.violation(`an admin failed with ${error instanceof Error ? (error.stack ?? error) : String(error)}`);
  }
}

async function administerOnce(office: Office): Promise<void> {
  const { admin, host, dice, people, products } = office;
  const key = newIdempotencyKey(host);
  const [person, product] = [dice.pick(people), dice.pick(products)];
  // Some are better known by the name they log in with.
  const email = dice.chance(0.1) ? loginOf(person) : person;
  if (dice.chance(0.06)) return lookAtClock(office, key);
  if (dice.chance(0.04)) return makeBackup(office, key);
  if (dice.chance(0.04)) return office.before.askAgain(dice, office.site.restoredAtMs ?? 0);
  if (dice.chance(0.2)) return administerMore(office, key);
  if (dice.chance(0.1)) return administerCredits(office, key);
  if (dice.chance(0.04)) return workInBulk(office, key);
  if (dice.chance(0.05)) return pruneJournal(office);
  if (dice.chance(0.03)) return dice.chance(0.5) ? lookBack(office, key) : lookAtJobs(office);
  const roll = dice.below(100);
  if (roll < 21) await admin.call('pool.status', {});
  else if (roll < 28) await reallocate(office, key);
  else if (roll < 46)
    await admin.call('allocation.assign', { key, email, product, quantity: dice.between(1, 2) });
  else if (roll < 60) await takeBack(office, key);
  else if (roll < 70) await disturbOne(office, key);
  else if (roll < 77) await arrange(office, key, product);
  else if (roll < 86) await revise(office, key);
  else if (roll < 91) await lookAround(office, product);
  else if (roll < 95) await employ(office, key);
  else if (roll < 98) await carryFiles(office, key, email, product);
  else await acceptClock(office, key);
}

async function takeBack({ admin, dice }: Office, key: string): Promise<void> {
  const { items } = await admin.call('allocation.list', {});
  if (items.length === 0) return;
  const lent = items.filter(({ borrowed }) => borrowed > 0);
  const { email, product, quantity } = dice.pick(lent.length > 0 && dice.chance(0.5) ? lent : items);
  const how = dice.pick([{}, {}, { pending: true }, { pending: true }, { cancel: true }]);
  await admin.call('allocation.revoke', { key, email, product, quantity: dice.between(1, quantity), ...how });
}

/** Seats that are set aside go from one to another, in one move. */
async function reallocate({ admin, dice, people }: Office, key: string): Promise<void> {
  const { items } = await admin.call('allocation.list', {});
  if (items.length === 0) return;
  const { email, product, entitlement } = dice.pick(items);
  const quantity = dice.pick([1, 1, 'all' as const]);
  const which = dice.chance(0.3) ? { subscription: entitlement } : {};
  await admin.call('allocation.move', { key, email, to: dice.pick(people), product, quantity, ...which });
}

/** Settings of a pool, and whether what is not allocated is for everybody. */
async function arrange({ admin, dice }: Office, key: string, product: string): Promise<void> {
  const roll = dice.below(10);
  if (roll < 5) {
    const running = dice.pick(['drain', 'cut'] as const);
    await admin.call('sharing.set', { key, product, on: dice.chance(0.6), running });
  } else if (roll < 8) {
    const lingerSeconds = dice.pick([null, null, 60, 300]);
    await admin.call('pool.set', { key, product, lingerSeconds, idleSeconds: dice.pick([null, 120]) });
  } else {
    const borrowSeatsMax = dice.pick([null, 1, 2]);
    await admin.call('pool.set', {
      key,
      product,
      borrowSeatsMax,
      borrowSeatsPerUserMax: dice.pick([null, 1]),
    });
  }
}

/** A seat is taken away, now or after a warning that may be taken back, or its holder gets a message. */
async function disturbOne({ admin, dice, host }: Office, key: string): Promise<void> {
  const { items } = await admin.call('lease.list', {});
  if (items.length === 0) return;
  const lease = dice.pick(items).id;
  const roll = dice.below(6);
  if (roll < 2) await admin.call('lease.revoke', { key, lease });
  else if (roll < 4) {
    await admin.call('lease.revoke', { key, lease, inSeconds: dice.between(1, 300) });
    if (dice.chance(0.4)) await admin.call('lease.keep', { key: newIdempotencyKey(host), lease });
  } else await admin.call('lease.message', { key, lease, text: 'The render farm needs this seat at six.' });
}

/** Everything that can be looked at. */
async function lookAround({ admin, dice, people }: Office, product: string): Promise<void> {
  const { items } = await admin.call('entitlement.list', {});
  const looks = [
    () => admin.call('organisation.show', {}),
    () => (items.length === 0 ? null : admin.call('entitlement.show', { id: dice.pick(items).id })),
    () => admin.call('user.list', {}),
    () => admin.call('pool.show', { product }),
    () => admin.call('machine.list', {}),
    () => admin.call('machine.token.list', {}),
    () => admin.call('clock.show', {}),
    () => admin.call('user.me', {}),
    () => admin.call('user.why', { email: dice.pick(people), product }),
    () => admin.call('user.show', { email: dice.pick(people) }),
    () => admin.call('user.devices', { email: dice.pick(people) }),
  ];
  await dice.pick(looks)();
}

/** Health says that the clock is not trusted. */
async function lookAtClock(office: Office, key: string): Promise<void> {
  const { clock } = await office.admin.call('clock.show', {});
  if (clock.state !== 'trusted') await acceptClock(office, key);
}

/** An admin vouches for the server's clock: only when it is right, or borrows are freed too early (I5). */
async function acceptClock({ site, admin }: Office, key: string): Promise<void> {
  const isRight = (): boolean => Math.abs(site.serverClock.errorMs) <= 60_000;
  if (!isRight()) return;
  site.vouchedUntilMs = Number.POSITIVE_INFINITY;
  try {
    await admin.call('clock.accept', { key });
    const { clock } = await admin.call('clock.show', {});
    if (clock.state !== 'trusted' && isRight())
      site.violation(`an admin has vouched for the clock of the server, and it is ${clock.state}`);
  } finally {
    // What was sent may still arrive.
    site.vouchedUntilMs = site.time.nowMs + 60_000;
  }
}

/** Before the last accounts: the clock is the right one, and what is not allocated is for everybody. */
export async function openPools({ admin, host, products }: Pick<Office, 'admin' | 'host' | 'products'>) {
  await admin.call('clock.accept', { key: newIdempotencyKey(host) });
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

/** The vendor sells more seats, or fewer. */
async function revise(office: Office, key: string): Promise<void> {
  const { site, admin, dice } = office;
  const { jti } = dice.pick([...site.vendor.entitlements.values()]);
  const credits = dice.chance(0.2) ? { credits: dice.between(0, 400) } : {};
  const entitlement = site.vendor.entitlement({ jti, seats: site.seats(dice.between(1, 4)), ...credits });
  await untilAnswered(office, () => admin.call('entitlement.import', { key, entitlement }));
}
