import { heldUntilMs } from './chain.js';
import type { Evidence, Finding, LeaseSeen } from './evidence.js';
import { DECIDED_AHEAD } from './journal-entry.js';
import type { EntitlementClaims, LeaseClaims } from './token.js';

/** A revision of an entitlement, and the record that brought it. */
interface Revision {
  readonly seq: number;
  readonly expMs: number;
}

/**
 * A lease ends inside its entitlement, hold included (DESIGN 4), as the entitlement stood when the lease was granted or renewed: the chain alone,
 * which any of its revisions may bear, does not show one that was renewed beyond a nearer end.
 */
export function outlived({ journal, leases }: Evidence): Finding[] {
  if (journal === undefined || journal.fault !== null) return [];
  const revisions = new Map<string, Revision[]>();
  const granted = new Map<string, string>();
  const findings: Finding[] = [];
  let epoch: string | null = null;
  for (const { seq, changes } of journal.records)
    for (const { type, entitlement, lease, organisation, epoch: next } of changes) {
      if (type === 'organisation.founded') epoch = (organisation as { epoch: string }).epoch;
      if (type === 'organisation.restored') epoch = String(next);
      if (type === 'entitlement.put') {
        const { jti, exp } = (entitlement as { claims: EntitlementClaims }).claims;
        revisions.set(jti, [...(revisions.get(jti) ?? []), { seq, expMs: exp * 1000 }]);
      }
      if (type !== 'lease.granted') continue;
      const { claims } = lease as { claims: LeaseClaims };
      granted.set(claims.jti, claims.nonce);
      const now = revisions.get(claims.ent)?.at(-1);
      // What a device shows after a restore was granted by what there was before it.
      const isShown = epoch !== null && claims.epoch !== epoch;
      if (!isShown && now !== undefined && heldUntilMs(claims) > now.expMs)
        findings.push(accuse(claims, 'is granted', seq));
    }
  const renewals = leases.filter(({ token: { claims } }) => granted.get(claims.jti) !== claims.nonce);
  return [...findings, ...renewals.flatMap((seen) => renewedBeyond(seen, revisions))];
}

/** Of what stood when it was decided: at the record that it names, or just after it. */
function renewedBeyond(
  { token: { claims } }: LeaseSeen,
  revisions: ReadonlyMap<string, Revision[]>,
): Finding[] {
  const known = revisions.get(claims.ent) ?? [];
  const since = known.filter(
    ({ seq }, at) =>
      (known[at + 1]?.seq ?? Number.POSITIVE_INFINITY) > claims.seq && seq <= claims.seq + DECIDED_AHEAD,
  );
  if (since.length === 0 || since.some(({ expMs }) => heldUntilMs(claims) <= expMs)) return [];
  return [accuse(claims, 'is renewed', claims.seq)];
}

function accuse({ jti, ent }: LeaseClaims, what: string, seq: number): Finding {
  return { rule: 'CHAIN', text: `lease ${jti} ${what} beyond the end that ${ent} had at record ${seq}` };
}
