import { newIdempotencyKey } from '@berth/client';
import { type Asking, importUntilAnswered } from './office-imports.js';
import { refusable } from './refusable.js';
import type { Dice } from './sim-random.js';
import type { Site } from './site.js';
import { untilAnswered } from './until-answered.js';

/** The fewest parts of a product of which one can shrink and another one grow while a third goes. */
const PARTS = 3;
/** Until what has gone comes back, ms on average. */
const GONE_MS = 20 * 60_000;

/** The vendor has sold a product in parts: what is missing of them comes on top. */
export async function sellInParts(asking: Asking, product: string): Promise<void> {
  const { site, host } = asking;
  for (let parts = partsOf(site, product); parts.length < PARTS; parts = partsOf(site, product)) {
    const { share = 'device', earlyReturn = 'at-once' } = parts[0] ?? {};
    const jti = `ent-${product}-part.${site.vendor.issued.length}`;
    const part = site.vendor.entitlement({ jti, product, share, earlyReturn, seats: 1 + site.seats(1) });
    await refusable(() => importUntilAnswered(asking, newIdempotencyKey(host), part));
  }
}

/**
 * The parts are put together: the largest shrinks, another one grows, and one goes, while what is beyond the first is still in use. So there is room in the
 * second for a seat of the third, though not in what is owned without it (I1).
 */
export async function putTogether(asking: Asking, product: string, dice: Dice): Promise<void> {
  const { site, admin, host } = asking;
  const [largest, ...others] = partsOf(site, product).sort((a, b) => b.seats - a.seats);
  if (largest === undefined || others.length < PARTS - 1) return;
  const grows = dice.pick(others);
  const goes = dice.pick(others.filter((each) => each !== grows)).jti;
  for (const [{ jti, seats }, more] of [
    [largest, -1],
    [grows, 1],
  ] as const) {
    const entitlement = site.vendor.entitlement({ jti, seats: Math.max(1, seats + more) });
    await refusable(() => importUntilAnswered(asking, newIdempotencyKey(host), entitlement));
  }
  const key = newIdempotencyKey(host);
  const refused = await refusable(() =>
    untilAnswered(asking, () => admin.call('entitlement.remove', { key, id: goes })),
  );
  if (refused !== null) return;
  site.later(dice.about(GONE_MS), () => {
    if (!site.vendor.entitlements.has(goes)) return;
    const again = site.vendor.entitlement({ jti: goes });
    void importUntilAnswered(asking, newIdempotencyKey(host), again).catch(() => {});
  });
}

const partsOf = (site: Site, product: string) =>
  [...site.vendor.entitlements.values()].filter((each) => each.product === product);
