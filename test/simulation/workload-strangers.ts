import { type Host, newIdempotencyKey } from '@berth/client';
import { openLeaseWith } from '@berth/client/internal';
import { encodeBase64Url, limits } from '@berth/protocol';
import { type LeaseClaims, readToken, type Token } from '../auditor/token.js';
import type { Dice } from './sim-random.js';
import type { Computer, Site } from './site.js';
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

/** So many tokens of before somebody shows at the most. */
const SHOWN = 3 * limits.tokensPerResume;

/**
 * A restored server asks what it signed (I9). Somebody shows what it signed for other devices, as it is and with better words for the own device in it: nobody must get
 * anything for that.
 */
export async function showOthers(
  { site, computer, dice }: { readonly site: Site; readonly computer: Computer; readonly dice: Dice },
  host: Host,
): Promise<void> {
  const own = site.entries.findLast(
    ({ event, process }) => event === 'session' && process.startsWith(`${computer.name}/`),
  );
  const dev = own?.event === 'session' ? own.device : '';
  const others = tokensOfBefore(site).filter(({ claims }) => claims.dev !== dev);
  const shown = others.flatMap((token) => [forged(token, dev, dice), token.text]).slice(0, SHOWN);
  const channel = await openLeaseWith(host, {});
  try {
    for (let at = 0; at < shown.length; at += limits.tokensPerResume) {
      const tokens = shown.slice(at, at + limits.tokensPerResume);
      await channel.call('session.resume', { leases: [], nonce: encodeBase64Url(dice.bytes(16)), tokens });
    }
  } finally {
    await channel.close();
  }
}

/** Of each lease the last one, those first that came last, as far as they have not ended. */
function tokensOfBefore({ entries, serverClock }: Site): Token<LeaseClaims>[] {
  const last = new Map<string, Token<LeaseClaims>>();
  for (let at = entries.length - 1; at >= 0; at--) {
    const entry = entries[at]!;
    for (const text of entry.event === 'answer' ? entry.leases : []) {
      const token = readToken('lease', text);
      if (typeof token !== 'string' && !last.has(token.claims.jti)) last.set(token.claims.jti, token);
    }
  }
  return [...last.values()].filter(({ claims }) => claims.exp * 1000 > serverClock.wallMs());
}

/** Another lease, of another seat, for whoever shows it. */
function forged({ text, claims }: Token<LeaseClaims>, dev: string, dice: Dice): string {
  const [header, , signature] = text.split('.');
  const id = Buffer.from(dice.bytes(10)).toString('hex');
  const words = JSON.stringify({ ...claims, jti: `l${id}`, seat: `s${id}`, dev });
  return `${header}.${Buffer.from(words).toString('base64url')}.${signature}`;
}
