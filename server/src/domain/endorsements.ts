import { endorses, limits } from '@berth/protocol';
import type { Endorsement, State } from './state.js';

/** The endorsements that lead to a vendor key for a product, the nearest first: as many steps as a verifier follows (PROTOCOL 4.8). */
function pathTo(state: State, key: string, product: string): Endorsement[] {
  const found: Endorsement[] = [];
  let step = new Set([key]);
  const seen = new Set(step);
  for (let steps = 0; steps < limits.endorsementChain && step.size > 0; steps++) {
    const next = new Set<string>();
    for (const row of state.tables.endorsement.values()) {
      const { iss, sub } = row.claims;
      if (!step.has(sub) || seen.has(iss) || !endorses(row.claims, product)) continue;
      found.push(row);
      next.add(iss);
    }
    for (const iss of next) seen.add(iss);
    step = next;
  }
  return found;
}

/** What a client that pins an older key of the vendor needs to believe these entitlements. Mostly none. */
export function endorsementsOf(state: State, entitlements: readonly string[]): string[] {
  if (state.tables.endorsement.size === 0) return [];
  const tokens = new Set<string>();
  for (const id of new Set(entitlements)) {
    const { claims } = state.tables.entitlement.get(id)!;
    for (const { token } of pathTo(state, claims.iss, claims.product)) tokens.add(token);
  }
  return [...tokens].slice(0, limits.endorsementsPerReply);
}

/** True when the vendor key `to` has followed `from` for the product, in however many steps. */
export function succeeds(state: State, from: string, to: string, product: string): boolean {
  const seen = new Set([to]);
  for (const key of seen) {
    if (key === from) return true;
    for (const { claims } of state.tables.endorsement.values()) {
      if (claims.sub === key && endorses(claims, product)) seen.add(claims.iss);
    }
  }
  return false;
}
