import { type Host, newIdempotencyKey } from '@berth/client';
import { openLeaseWith } from '@berth/client/internal';
import { encodeBase64Url } from '@berth/protocol';
import type { Site } from './site.js';
import type { Life } from './workload.js';

/** So far back a stranger looks for a lease, entries of the history. */
const LOOKS_BACK = 300;

/** Longer than any entitlement lends. */
const TOO_LONG_SECONDS = 86_400 + 3_600;

/**
 * What no SDK asks for. Somebody who knows the id of a lease of another device, by a list or a log: nobody must get it, nor take it from its owner; or who wants a
 * borrow for longer than there is one.
 */
export async function meddle({ dice, site, computer, product }: Life, host: Host): Promise<void> {
  const lease = leaseOfOthers(site, computer.name);
  if (lease === null) return;
  const channel = await openLeaseWith(host, {});
  try {
    const nonce = encodeBase64Url(dice.bytes(16));
    const key = newIdempotencyKey(host);
    const wallMs = Math.round(host.clock.wallMs());
    const roll = dice.below(3);
    if (roll === 0)
      await channel.call('borrow.take', { key, product, seats: 1, seconds: TOO_LONG_SECONDS, wallMs, nonce });
    else if (roll === 1) await channel.call('session.resume', { leases: [lease], nonce });
    else await channel.call('lease.release', { key, leases: [lease] });
  } finally {
    await channel.close();
  }
}

function leaseOfOthers({ entries }: Site, own: string): string | null {
  for (let at = entries.length - 1; at > Math.max(0, entries.length - LOOKS_BACK); at--) {
    const entry = entries[at]!;
    if (entry.event !== 'answer' || entry.process.startsWith(`${own}/`)) continue;
    const [token] = entry.leases;
    if (token === undefined) continue;
    return (JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as { jti: string }).jti;
  }
  return null;
}
