import { newIdempotencyKey } from '@berth/client';
import type { LeaseInfo } from '@berth/protocol';
import type { Office } from './office.js';
import { endAt, importUntilAnswered } from './office-imports.js';
import { sellInParts } from './office-parts.js';
import { refusable } from './refusable.js';

/** An entitlement ends this long after the last borrow of it at the most, seconds. */
const MARGIN = 60;

/**
 * An entitlement is to end with the last borrow of it, and the vendor has sold another one for what comes after. Somebody still works on a borrowed seat: that
 * one stays where its borrow is, and ends there.
 */
export async function endWithBorrow(office: Office, key: string): Promise<void> {
  const { site, admin, dice } = office;
  const { items } = await admin.call('lease.list', {});
  const works = new Set(items.filter(({ kind, state }) => kind === 'online' && state === 'open').map(seatOf));
  const lent = items.filter(({ kind }) => kind === 'borrow');
  const [soonest] = lent
    .filter((lease) => works.has(lease.seat) && site.vendor.entitlements.has(lease.entitlement))
    .sort((a, b) => a.freeAtMs - b.freeAtMs);
  if (soonest === undefined) return await sellFewerThanLent(office, key, lent);
  const { entitlement, product } = soonest;
  await sellInParts(office, product);
  const all = lent.filter((lease) => lease.entitlement === entitlement);
  const lastMs = Math.max(...all.map(({ freeAtMs }) => freeAtMs));
  await endAt(office, key, entitlement, Math.ceil(lastMs / 1000) + dice.between(0, MARGIN));
}

/** The vendor sells one seat less than are lent, though there is room for all that is set aside: refused (I8). */
async function sellFewerThanLent(office: Office, key: string, lent: readonly LeaseInfo[]): Promise<void> {
  const { vendor } = office.site;
  for (const { jti } of vendor.entitlements.values()) {
    const seats = new Map(
      lent.filter(({ entitlement }) => entitlement === jti).map((lease) => [lease.seat, lease.seats]),
    );
    const sum = [...seats.values()].reduce((all, count) => all + count, 0);
    if (sum < 2) continue;
    await importUntilAnswered(office, key, vendor.entitlement({ jti, seats: sum - 1 }));
    return;
  }
}

const seatOf = ({ seat }: { readonly seat: string }): string => seat;

/**
 * Who has a borrow gets its seat set aside, and it is to be taken back when the borrow ends. A colleague who has not heard of that gives the same person more of
 * them, which is refused.
 */
export async function crossAnother({ admin, host, dice, people }: Office, key: string): Promise<void> {
  const { items } = await admin.call('lease.list', {});
  const lent = items.filter(({ kind, user }) => kind === 'borrow' && user.includes('@'));
  if (lent.length === 0) return;
  const { user: email, product } = dice.pick(lent);
  const other = dice.pick(people);
  for (const to of [email, other])
    await refusable(() =>
      admin.call('allocation.assign', { key: newIdempotencyKey(host), email: to, product, quantity: 1 }),
    );
  await admin.call('allocation.revoke', { key, email, product, quantity: 'all', pending: true });
  const more = { key: newIdempotencyKey(host), email: other, to: email, product, quantity: 1 };
  await admin.call('allocation.move', more);
}
