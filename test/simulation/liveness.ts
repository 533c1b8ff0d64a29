import { newIdempotencyKey } from '@berth/client';
import { connectWith } from '@berth/client/internal';
import { killProcess } from './client-faults.js';
import type { Founded } from './founding.js';
import { openPools } from './office.js';
import { refusable } from './refusable.js';
import type { Site } from './site.js';
import type { Waiters } from './waiters.js';

const MINUTE_MS = 60_000;
/** The server is up by then. */
const STARTS_MS = MINUTE_MS / 2;
/** And whoever was away has connected: no pause between two attempts is longer than 10 s. */
const CONNECTS_MS = MINUTE_MS / 2;
/** How often the pools are looked at, ms. */
const LOOKS_MS = 10 * MINUTE_MS;
/** A server's clock was ahead by no more than this. */
const AHEAD_MS = 6 * 60 * MINUTE_MS;
/**
 * After this long without faults every seat is free, and the longest borrow of the workload behind that: its hold, a window, and time to connect. What was lent by
 * a clock that was ahead ends by that clock, and its hold is longer by as much (I3).
 */
const QUIET_MS = 90 * MINUTE_MS + 2 * AHEAD_MS;

/** No more faults: an admin confirms the clock, every seat must come free, and whoever asks must be served. @param end tells everybody to give back */
export async function heal(
  site: Site,
  founded: Founded,
  { products, waiters, end }: { products: readonly string[]; waiters: Waiters; end: () => void },
): Promise<void> {
  site.heal();
  waiters.heal();
  await site.run(site.time.nowMs + STARTS_MS);
  if (!site.server.isUp) return site.violation('the server is down although nothing fails any more');
  const owner = founded.admins[0]!;
  await site.settled(openPools({ ...owner, products }));
  await liveOn(site);
  end();
  await acceptRestore(site, owner);
  const untilMs = site.time.nowMs + QUIET_MS + site.loanMs + site.longMs;
  let taken: unknown[];
  do {
    await site.run(site.time.nowMs + LOOKS_MS);
    // Once more: the other admin may have been in the middle of something.
    await site.settled(openPools({ ...owner, products }));
    taken = await takenPools(site, owner);
  } while (taken.length > 0 && site.time.nowMs < untilMs);
  // Whoever naps has woken up by then.
  await site.run(site.time.nowMs + LOOKS_MS);
  await site.settled(openPools({ ...owner, products }));
  await site.settled(sellAnew(site, owner));
  for (const pool of taken) site.violation(`not every seat came free: ${JSON.stringify(pool)}`);
  site.server.checkInvariants();
  await unfinishedJobs(site, owner);
  await unsentMails(site, owner);
  waiters.judge();
  for (const product of products) await site.settled(takeOne(site, product, founded));
}

/** Nothing goes wrong for a while, so that it shows whether clients keep what they have. */
async function liveOn(site: Site): Promise<void> {
  await site.run(site.time.nowMs + CONNECTS_MS);
  const fromT = site.time.nowMs;
  await site.run(fromT + site.longMs);
  site.quiet = { fromT, untilT: site.time.nowMs };
}

/** What is about to end, so that no lease fits in, is granted once more: a seat that is shown as free can be taken then. */
export async function sellAnew(
  site: Site,
  { admin, host }: Pick<Founded['admins'][number], 'admin' | 'host'>,
): Promise<void> {
  // A server that was made of a backup may not know of the last ones.
  if (site.restoredAtMs !== undefined)
    for (const endorsement of site.vendor.endorsed)
      await refusable(() => admin.call('endorsement.import', { key: newIdempotencyKey(host), endorsement }));
  for (const jti of site.vendor.entitlements.keys()) {
    const entitlement = site.vendor.entitlement({ jti });
    await refusable(() => admin.call('entitlement.import', { key: newIdempotencyKey(host), entitlement }));
  }
}

/** I9: seats are kept back for weeks unless somebody answers for it. The longest borrow of the workload, and its hold, have ended by then. */
async function acceptRestore(site: Site, { admin, host }: Founded['admins'][number]): Promise<void> {
  if (site.restoredAtMs === undefined) return;
  await site.run(site.time.nowMs + QUIET_MS + site.loanMs);
  const accepted = admin.call('restore.accept', {
    key: newIdempotencyKey(host),
    reason: 'nothing of before is out',
  });
  await site.settled(accepted);
}

/** Whatever was in its way: a job comes to its end. */
async function unfinishedJobs(site: Site, { admin }: Founded['admins'][number]): Promise<void> {
  const { items } = await site.settled(admin.call('bulk.list', { limit: 100 }));
  for (const job of items)
    if (job.endedAtMs === undefined) site.violation(`a bulk job never ended: ${JSON.stringify(job)}`);
}

/** What was to be sent has been tried by then, and the mail server takes everything. */
async function unsentMails(site: Site, { admin }: Founded['admins'][number]): Promise<void> {
  if (site.mailServer === null) return;
  for (const state of ['gathering', 'sending'] as const) {
    const { items } = await site.settled(admin.call('mail.list', { state, limit: 100 }));
    for (const mail of items) site.violation(`a mail was never sent: ${JSON.stringify(mail).slice(0, 300)}`);
  }
}

async function takenPools(site: Site, { admin }: Founded['admins'][number]): Promise<unknown[]> {
  const { pools } = await site.settled(admin.call('pool.status', {}));
  return pools.filter(
    (pool) => pool.inUse + pool.borrowed + pool.held > 0 || (pool.free !== pool.owned && pool.owned > 0),
  );
}

async function takeOne(site: Site, product: string, { admins }: Founded): Promise<void> {
  const { pools } = await admins[0]!.admin.call('pool.status', { product });
  if (!pools.some(({ shared }) => shared > 0)) return;
  // Nobody who was removed meanwhile: an admin has a device as well.
  const { computer } = admins[1] ?? admins[0]!;
  killProcess(site, computer, true);
  const host = site.startProcess(computer);
  try {
    const client = await connectWith(host, { product, vendorKeys: [site.vendor.key] });
    const seat = await client.checkout({ wait: 10_000 });
    await seat.release();
    await client.close();
  } catch (error) {
    site.violation(`a free seat of ${product} could not be taken: ${String(error)}`);
  }
}
