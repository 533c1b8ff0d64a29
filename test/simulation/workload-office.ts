import { newIdempotencyKey } from '@berth/client';
import type { EntitlementClaims } from '@berth/protocol';
import type { Office } from './office.js';
import { crossAnother, endWithBorrow } from './office-borrows.js';
import { endAt, importUntilAnswered } from './office-imports.js';
import { untilAnswered } from './until-answered.js';

/** What an admin does less often: whatever the rules of entitlements and members are about. */
export async function administerMore(office: Office, key: string): Promise<void> {
  const { dice } = office;
  const roll = dice.below(100);
  if (roll < 15) await endSoon(office, key);
  else if (roll < 20) await endWithBorrow(office, key);
  else if (roll < 35) await importOlder(office, key);
  else if (roll < 50) await replace(office, key);
  else if (roll < 70) await removeHolder(office, key);
  else if (roll < 86) await removeForAWhile(office, key);
  else if (roll < 90) await changeVendorKey(office, key);
  else if (roll < 95) await crossAnother(office, key);
  else await revokeLater(office, key);
}

/** An entitlement that ends within minutes, so that leases have to move or end. */
async function endSoon(office: Office, key: string): Promise<void> {
  const { site, host, dice } = office;
  const { jti } = dice.pick([...site.vendor.entitlements.values()]);
  await endAt(office, key, jti, Math.floor(host.clock.wallMs() / 1000) + dice.between(400, 1_800));
}

/** An admin takes the wrong file: an older revision, or one that was replaced. */
async function importOlder({ dice, ...office }: Office, key: string): Promise<void> {
  const { issued } = office.site.vendor;
  const entitlement = dice.pick(issued.slice(0, -1));
  if (entitlement !== undefined) await importUntilAnswered(office, key, entitlement);
}

/** The vendor replaces an entitlement by another one. */
async function replace({ dice, ...office }: Office, key: string): Promise<void> {
  const { site } = office;
  const { rev: _, ...old } = dice.pick(await replaceable({ dice, ...office }));
  const jti = `${old.jti.split('.')[0]}.${site.vendor.issued.length}`;
  // What is in use has to have room in it.
  const seats = dice.chance(0.3) ? Math.max(1, old.seats - 1) : old.seats;
  const claims = { ...old, jti, seats, replaces: old.jti };
  const entitlement = site.vendor.entitlement(claims);
  site.vendor.entitlements.delete(jti);
  await importUntilAnswered(office, key, entitlement);
  site.vendor.entitlements.set(jti, { ...claims, rev: 1 });
  site.vendor.entitlements.delete(old.jti);
}

/** Often one of which a revoke waits for a borrow: what replaces it has to know that. */
async function replaceable({ admin, dice, site }: Office): Promise<EntitlementClaims[]> {
  const all = [...site.vendor.entitlements.values()];
  if (dice.chance(0.5)) return all;
  const { items } = await admin.call('allocation.list', {});
  const waiting = new Set(
    items.flatMap(({ entitlement, revoking }) => (revoking === undefined ? [] : [entitlement])),
  );
  const some = all.filter(({ jti }) => waiting.has(jti));
  return some.length > 0 ? some : all;
}

/** The vendor goes on with another key for a product, as soon as the server has taken note that the old one endorses it. */
async function changeVendorKey({ dice, ...office }: Office, key: string): Promise<void> {
  const { admin, site, products } = office;
  const product = dice.pick(products);
  const endorsement = site.vendor.endorsement(product);
  if (endorsement === null) return;
  const { changed } = await untilAnswered(office, () =>
    admin.call('endorsement.import', { key, endorsement }),
  );
  if (changed) site.vendor.changedKey(product, endorsement);
}

/** Whoever has an allocation or a borrow cannot be removed; pending it may be left. */
async function removeHolder({ admin, host, dice }: Office, key: string): Promise<void> {
  const { items } = await admin.call('allocation.list', {});
  if (items.length === 0) return;
  const { email } = dice.pick(items);
  await admin.call('user.remove', { key, email, ...(dice.chance(0.3) ? { pending: true } : {}) });
  await admin.call('user.remove', { key: newIdempotencyKey(host), email, cancel: true });
}

/** An entitlement is removed, or its removal left pending; its vendor's next revision brings it back. */
async function removeForAWhile({ dice, ...office }: Office, key: string): Promise<void> {
  const { site, admin } = office;
  const { jti } = dice.pick([...site.vendor.entitlements.values()]);
  const how = dice.chance(0.5) ? { pending: true } : {};
  const removed = await untilAnswered(office, () =>
    admin.call('entitlement.remove', { key, id: jti, ...how }),
  );
  site.later(
    dice.about(20 * 60_000),
    () => void bringBack(office, jti, removed.pending !== undefined).catch(() => {}),
  );
}

async function bringBack(
  office: Pick<Office, 'site' | 'admin' | 'host'>,
  jti: string,
  isPending: boolean,
): Promise<void> {
  const { site, admin, host } = office;
  const key = newIdempotencyKey(host);
  if (isPending)
    await untilAnswered(office, () => admin.call('entitlement.remove', { key, id: jti, cancel: true }));
  if (site.vendor.entitlements.has(jti))
    await importUntilAnswered(office, newIdempotencyKey(host), site.vendor.entitlement({ jti }));
}

/** What is borrowed by whoever has it allocated is to be revoked when the borrow ends. */
async function revokeLater({ admin, dice }: Office, key: string): Promise<void> {
  const { items } = await admin.call('allocation.list', {});
  const lent = items.filter(({ borrowed }) => borrowed > 0);
  if (lent.length === 0) return;
  const { email, product } = dice.pick(lent);
  await admin.call('allocation.revoke', { key, email, product, quantity: 'all', pending: true });
}
