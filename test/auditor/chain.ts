import type { Evidence, Finding, LeaseSeen } from './evidence.js';
import { eventsOf } from './history.js';
import {
  type EntitlementClaims,
  isSignedBy as isEd25519,
  type LeaseClaims,
  readToken,
  type Token,
} from './token.js';

/** Vendor -> entitlement -> lease, for every token any client received, and that it is what its client had asked for. */
export function brokenChains(evidence: Evidence): Finding[] {
  const endorsements = new Set(eventsOf(evidence.entries, 'endorsed').map(({ endorsement }) => endorsement));
  return [
    ...evidence.unreadable,
    ...[...evidence.entitlements.values()]
      .flat()
      .flatMap((token) => badEntitlement(token, evidence, endorsements)),
    ...firstOfEach(evidence.leases).flatMap((seen) => badLease(seen, evidence)),
    ...unasked(evidence),
  ];
}

/** A retry brings the same bytes again: they are as good or bad as the first time. */
function firstOfEach(leases: readonly LeaseSeen[]): LeaseSeen[] {
  return [...new Map(leases.map((seen) => [seen.token.text, seen])).values()];
}

function badEntitlement(
  token: Token<EntitlementClaims>,
  evidence: Evidence,
  endorsements: ReadonlySet<string>,
): Finding[] {
  const { serverKey, isSignedBy = isEd25519 } = evidence;
  const { jti, iss, sub, nbf, exp, product } = token.claims;
  const faults: string[] = [];
  if (!vendorKeys(evidence, endorsements, product).has(iss)) faults.push('names another vendor');
  if (!isSignedBy(token, iss)) faults.push('is not signed by the vendor');
  if (sub !== serverKey) faults.push('is for another server');
  if (nbf >= exp) faults.push('ends before it begins');
  return faults.map((fault) => ({ rule: 'CHAIN', text: `entitlement ${jti} ${fault}` }));
}

/** The pinned key, and those that it endorsed for the product, in however many steps (at most four: PROTOCOL 4.8). */
function vendorKeys(
  { vendorKey, isSignedBy = isEd25519 }: Evidence,
  texts: ReadonlySet<string>,
  product: string,
): Set<string> {
  const keys = new Set([vendorKey]);
  for (let steps = 0; steps < 4 && texts.size > 0; steps++) {
    for (const text of texts) {
      const token = readToken('endorsement', text);
      if (typeof token === 'string') continue;
      const { iss, sub, products } = token.claims;
      const covers = products === undefined || products.includes(product);
      if (keys.has(iss) && covers && isSignedBy(token, iss)) keys.add(sub);
    }
  }
  return keys;
}

function badLease(
  { token }: LeaseSeen,
  { serverKey, entitlements, isSignedBy = isEd25519 }: Evidence,
): Finding[] {
  const { claims } = token;
  const faults: string[] = [];
  if (!isSignedBy(token, serverKey)) faults.push('is not signed by the server');
  const named = entitlements.get(claims.ent);
  if (named === undefined) faults.push(`names the entitlement ${claims.ent}, which nobody has seen`);
  // Of several revisions the server may have meant any: it is enough to fit one.
  else if (named.every((entitlement) => misfits(claims, entitlement.claims).length > 0))
    faults.push(...misfits(claims, named.at(-1)!.claims));
  return faults.map((fault) => ({ rule: 'CHAIN', text: `lease ${claims.jti} ${fault}` }));
}

function misfits(lease: LeaseClaims, entitlement: EntitlementClaims): string[] {
  const faults: string[] = [];
  const { n, kind, iat, exp, dur } = lease;
  if (lease.product !== entitlement.product) faults.push('is of another product than its entitlement');
  if (n < 1 || n > entitlement.seats)
    faults.push(`is of ${n} seats, its entitlement has ${entitlement.seats}`);
  if (dur < 1 || exp - iat !== dur) faults.push('does not last as long as it says');
  if (iat < entitlement.nbf) faults.push('begins before its entitlement');
  if (heldUntilMs(lease) > entitlement.exp * 1000) faults.push('outlives its entitlement');
  if (kind !== 'online' && kind !== 'borrow') faults.push(`is of the kind ${String(kind)}`);
  if (kind === 'borrow') {
    const { borrow } = entitlement;
    if (borrow === undefined) faults.push('is a borrow of what may not be borrowed');
    else if (n > borrow.seats || dur > borrow.maxSeconds) faults.push('is borrowed beyond the limits');
  }
  return faults;
}

/** How long its seat is held, by the wall clock (I2, I3). */
export function heldUntilMs({
  kind,
  iat,
  exp,
  dur,
}: Pick<LeaseClaims, 'kind' | 'iat' | 'exp' | 'dur'>): number {
  if (kind === 'borrow') return exp * 1000 + 15 * 60_000 + 2 * dur;
  return iat * 1000 + Math.ceil((dur * 1000 * 1001) / 999) + 10_000;
}

/** Tokens name the device that got them and the nonce of a request it sent. */
function unasked({ leases, entries }: Evidence): Finding[] {
  const devices = new Map<string, Set<string>>();
  for (const { process, device } of eventsOf(entries, 'session'))
    devices.set(process, (devices.get(process) ?? new Set()).add(device));
  const findings: Finding[] = [];
  for (const { token, answer, sentAt } of leases) {
    const { jti, dev } = token.claims;
    if (sentAt === null) findings.push({ rule: 'CHAIN', text: `lease ${jti} answers a nonce nobody sent` });
    if (!devices.get(answer.process)?.has(dev))
      findings.push({ rule: 'CHAIN', text: `${answer.process} received lease ${jti} of another device` });
  }
  return findings;
}
