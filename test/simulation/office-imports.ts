import { newIdempotencyKey } from '@berth/client';
import type { Office } from './office.js';
import { untilAnswered } from './until-answered.js';

export type Asking = Pick<Office, 'site' | 'admin' | 'host'>;

export async function importUntilAnswered(office: Asking, key: string, entitlement: string): Promise<void> {
  await untilAnswered(office, () => office.admin.call('entitlement.import', { key, entitlement }));
}

/** An entitlement is to end at that second of the clock on the wall; a later revision brings it back. */
export async function endAt(
  { dice, ...office }: Office,
  key: string,
  jti: string,
  soon: number,
): Promise<void> {
  const { site, host } = office;
  const { exp } = site.vendor.entitlements.get(jti)!;
  const entitlement = site.vendor.entitlement({ jti, exp: soon });
  site.vendor.entitlements.set(jti, { ...site.vendor.entitlements.get(jti)!, exp });
  await importUntilAnswered(office, key, entitlement);
  site.later(dice.about(60 * 60_000), () => {
    if (!site.vendor.entitlements.has(jti)) return;
    const again = site.vendor.entitlement({ jti });
    void importUntilAnswered(office, newIdempotencyKey(host), again).catch(() => {});
  });
}
