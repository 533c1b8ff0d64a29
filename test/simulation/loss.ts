import { type Client, type Host, newIdempotencyKey } from '@berth/client';
import { connectWith } from '@berth/client/internal';
import type { Founded } from './founding.js';
import { sellAnew } from './liveness.js';
import { makeBackup } from './office-backup.js';
import { importUntilAnswered } from './office-imports.js';
import { refusable } from './refusable.js';
import type { Dice } from './sim-random.js';
import type { Computer, Site } from './site.js';
import { nap } from './workload.js';
import { showOthers } from './workload-strangers.js';

const MINUTE_MS = 60_000;
/** From a backup that somebody makes by the clock to the loss of the server, ms. */
const BACKED_UP_MS = { least: 5 * MINUTE_MS, most: 30 * MINUTE_MS };
const ASKS_AGAIN_MS = 20_000;
/** So many people take a seat along after that backup. */
const TRAVELLERS = 3;
/** After the backup, ms on average: when the server is lost or not. */
const RETURNS_MS = 20 * MINUTE_MS;
/** So many devices show a restored server what is not theirs. */
const STRANGERS = 2;
/** How soon they are there, ms on average, and how often they try. */
const COMES_MS = 2_000;
const TRIES = 20;

interface Loss {
  readonly site: Site;
  readonly founded: Founded;
  readonly products: readonly string[];
  readonly dice: Dice;
  readonly afterMs: number;
  /** Is asked before the journal of the lost server is gone. */
  readonly judge: () => void;
}

/**
 * The server is lost, and made anew of the last backup. Most sites make one now and then; what the vendor sells after it the restored server does not know until it is
 * imported again.
 */
export function loseOnce(loss: Loss): void {
  const { site, dice, afterMs } = loss;
  const backedUpMs = Math.max(0, afterMs - dice.between(BACKED_UP_MS.least, BACKED_UP_MS.most));
  if (dice.chance(0.8)) site.later(backedUpMs, () => void backUpAndBuy(loss).catch(failed(site)));
  site.later(afterMs, () => void lose(loss).catch(failed(site)));
}

const failed =
  (site: Site) =>
  (error: unknown): void =>
    site.violation(`a restore failed with ${String(error)}`);

async function backUpAndBuy(loss: Loss): Promise<void> {
  const { site, founded, dice } = loss;
  const { admin, host } = founded.admins[0]!;
  const owner = { site, admin, host, dice };
  const away = dice.pick(founded.plugins);
  await refusable(() => asTraveller(loss, away, (client) => client.borrow(trip(dice))));
  const { backup } = site;
  for (let tries = 0; tries < TRIES && site.backup === backup; tries++) {
    await refusable(() => makeBackup(owner, newIdempotencyKey(host)));
    await nap(host, dice.about(ASKS_AGAIN_MS));
  }
  if (dice.chance(0.7))
    await refusable(() => importUntilAnswered(owner, newIdempotencyKey(host), bought(site, dice)));
  // The restored server takes them for away still.
  await refusable(() => asTraveller(loss, away, (client) => client.returnBorrow()));
  site.later(dice.about(RETURNS_MS), () => void refusable(() => goAgain(loss, away)).catch(failed(site)));
  for (let count = 0; count < TRAVELLERS; count++)
    await refusable(() =>
      asTraveller(loss, dice.pick(founded.plugins), (client) => client.borrow(trip(dice))),
    );
}

const trip = (dice: Dice) => ({ seconds: dice.between(1_200, 3_600) });

/** Wants the seat once more that it has brought back, at its desk or for another trip. */
function goAgain(loss: Loss, computer: Computer): Promise<void> {
  return asTraveller(loss, computer, async (client, host) => {
    for (let tries = 0; tries < TRIES; tries++) {
      await refusable(() => client.borrow(trip(loss.dice)));
      await refusable(async () => (await client.checkout()).release());
      await nap(host, MINUTE_MS);
    }
    if ((await client.borrows()).length > 0) await client.returnBorrow();
  });
}

/** Somebody at a computer, with the product of its plugin. */
async function asTraveller(
  { site, founded, products }: Loss,
  computer: Computer,
  act: (client: Client, host: Host) => Promise<unknown>,
): Promise<void> {
  const product = products[founded.plugins.indexOf(computer) % products.length]!;
  const host = site.startBeside(computer);
  const client = await connectWith(host, { product, vendorKeys: [site.vendor.key] });
  try {
    await act(client, host);
  } finally {
    await client.close();
  }
}

/** More seats of what there is, or what may be borrowed as well under another number. */
function bought({ vendor }: Site, dice: Dice): string {
  const { rev: _, replaces: __, ...old } = dice.pick([...vendor.entitlements.values()]);
  if (dice.chance(0.5)) return vendor.entitlement({ jti: old.jti, seats: old.seats + 2 });
  return vendor.entitlement({ ...old, jti: `${old.jti.split('.')[0]}.${vendor.issued.length}`, seats: 2 });
}

async function lose({ site, founded, dice, judge }: Loss): Promise<void> {
  const { backup } = site;
  if (backup === null) return;
  site.tellFault('restored');
  await site.restore(backup, judge);
  site.later(dice.about(MINUTE_MS), () => void sellAnew(site, founded.admins[0]!));
  for (let count = 0; count < STRANGERS; count++)
    site.later(dice.about(COMES_MS), () => void comes(site, founded, dice).catch(failed(site)));
}

async function comes(site: Site, { plugins }: Founded, dice: Dice): Promise<void> {
  const computer = dice.pick(plugins);
  const host = site.startBeside(computer);
  for (let tries = 0; tries < TRIES; tries++) {
    if ((await refusable(() => showOthers({ site, computer, dice }, host))) === null) return;
    await nap(host, COMES_MS);
  }
}
