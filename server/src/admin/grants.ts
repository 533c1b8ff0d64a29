import type { LeaseClaims } from '@berth/protocol';
import type { ChangeType } from '../domain/changes.js';
import type { Denial } from '../domain/commands.js';
import { endorsementsOf } from '../domain/endorsements.js';
import type { State } from '../domain/state.js';
import type { HandlerDeps } from './deps.js';

/** Signs the leases and adds the entitlements they name: the client can verify the chain at once (DESIGN 4). */
export async function grant(
  deps: HandlerDeps,
  leases: readonly LeaseClaims[],
): Promise<{ leases: string[] } & ChainTokens> {
  // Here, not by the thread of renewals: beside a commit, whose syncs take threads too, it cost more than it relieved (decision 0016).
  const tokens = leases.map((claims) => deps.issuer.issue('lease', claims));
  const named = leases.map(({ ent }) => ent);
  return { leases: tokens, ...(await chainTokens(deps, named)) };
}

/** What leads from leases back to a vendor key. */
export interface ChainTokens {
  readonly entitlements: string[];
  /** Left out: no vendor has changed its key. */
  readonly endorsements?: string[];
}

/** Of up to 4 KiB each: with 64 leases they fit a frame. A client has those of its other leases from their checkouts. */
const ENTITLEMENTS_PER_REPLY = 32;

/** What the tokens of a chain follow from. */
const chainChanges: ReadonlySet<ChangeType> = new Set<ChangeType>(['entitlement.put', 'endorsement.put']);

export function chainTokens(
  { engine }: HandlerDeps,
  ids: readonly string[],
): Promise<ChainTokens> | ChainTokens {
  if (ids.length === 0) return { entitlements: [] };
  return engine.readOf(chainChanges, (state: State): ChainTokens => {
    const named = [...new Set(ids)].slice(0, ENTITLEMENTS_PER_REPLY);
    const entitlements = named.map((id) => state.tables.entitlement.get(id)!.token);
    const endorsements = endorsementsOf(state, named);
    return endorsements.length === 0 ? { entitlements } : { entitlements, endorsements };
  });
}

/** Counts a refusal by the product that it names. */
export function denied({ metrics }: HandlerDeps, product: string, denial: Denial): Denial {
  const rule = denial.detail?.rule;
  metrics.checkout(product, 'denied');
  metrics.denial(product, typeof rule === 'string' ? rule : denial.code);
  return denial;
}

/** Revoked in the very commit that granted it, when no session had it yet: the push comes before the answer (PROTOCOL 7.25). */
export async function tellRevoked(
  { engine, sessions }: HandlerDeps,
  leases: readonly LeaseClaims[],
): Promise<void> {
  // By what is durable: a revoke that waits for its commit may never have been (decision 0004).
  const revoked = await engine.readOf(revokes, ({ tables }) =>
    leases.flatMap(({ jti: lease }) => {
      const row = tables.lease.get(lease);
      return row?.state === 'revoked' ? [{ lease, ...(row.revoked ?? { by: '', reason: '' }) }] : [];
    }),
  );
  for (const { lease, by, reason } of revoked)
    sessions.pushToLease(lease, 'lease.revoked', { lease, by, reason });
}

const revokes: ReadonlySet<ChangeType> = new Set<ChangeType>(['lease.revoked']);
