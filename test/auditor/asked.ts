import { type Evidence, type Finding, rightSeats } from './evidence.js';
import { type EntryOf, eventsOf } from './history.js';
import { ownGrants } from './restored.js';
import { type LeaseClaims, readToken } from './token.js';

/** What a client got is what it had asked for: a whole bundle or nothing, and a seat only for a request that asks for seats. */
export function notAsAsked(evidence: Evidence): Finding[] {
  return [...halfGranted(evidence), ...grantedUnasked(evidence)];
}

function halfGranted({ entries }: Evidence): Finding[] {
  const wants = new Map<string, NonNullable<EntryOf<'request'>['wants']>>();
  for (const { key, wants: asked } of eventsOf(entries, 'request'))
    if (key !== undefined && asked !== undefined) wants.set(key, asked);
  return eventsOf(entries, 'answer').flatMap(({ process, key, leases }): Finding[] => {
    const asked = wants.get(key ?? '');
    if (asked === undefined) return [];
    const got = leases.flatMap((text): LeaseClaims[] => {
      const token = readToken('lease', text);
      return typeof token === 'string' ? [] : [token.claims];
    });
    const lacking = asked.filter(
      ({ products, seats }) => !products.some((product) => rightSeats(got, product) === seats),
    );
    return lacking.map(({ products, seats }) => ({
      rule: 'GRANT',
      text: `${process} asked with key ${key} for ${seats} of ${products.join(' or ')} and did not get just that`,
    }));
  });
}

/** Requests that may bring a new lease. */
const taking: ReadonlySet<string> = new Set(['lease.checkout', 'borrow.take', 'borrow.grant']);

/** A lease carries the nonce of the request it was granted to. */
function grantedUnasked({ entries, journal }: Evidence): Finding[] {
  const methods = new Map<string, string>();
  for (const { nonce, method } of eventsOf(entries, 'request'))
    if (nonce !== undefined) methods.set(nonce, method);
  return ownGrants(journal?.records ?? []).flatMap(({ seq, claims: { jti, nonce } }): Finding[] => {
    const method = methods.get(nonce);
    if (method === undefined || taking.has(method)) return [];
    return [{ rule: 'I7', text: `record ${seq} grants lease ${jti} to a ${method}, which takes no seat` }];
  });
}
