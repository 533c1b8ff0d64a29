import { journaledLeases } from './durable.js';
import { type Evidence, type Finding, ownedWithin, sentTimes } from './evidence.js';
import { type Right, rightsOf, type Until } from './rights.js';

/**
 * I1: at every instant the distinct seats whose right is open are no more than are owned. It can only break where a right opens:
 * capacity that shrinks below use takes nothing away, but then nothing may be granted either.
 *
 * With the clients' own ends that is I1; with the server's holds (I2, I3) it also shows a seat that went to the next one too
 * early, before anybody was harmed.
 */
export function overIssued(evidence: Evidence): Finding[] {
  return [...sweep(evidence, 'client'), ...sweep(evidence, 'server')];
}

/** How many seats of one product are open, each counted once with the most that any of its leases says. */
class OpenSeats {
  readonly #open = new Map<string, number[]>();
  readonly #borrows = new Set<Right>();
  total = 0;

  open(right: Right): void {
    const { seat, n, kind } = right;
    if (kind === 'borrow') this.#borrows.add(right);
    this.#change(seat, [...(this.#open.get(seat) ?? []), n]);
  }

  close(right: Right): void {
    const { seat, n } = right;
    this.#borrows.delete(right);
    const left = [...(this.#open.get(seat) ?? [])];
    left.splice(left.indexOf(n), 1);
    this.#change(seat, left);
  }

  borrowers(): string[] {
    return [...this.#borrows].map(({ process }) => process);
  }

  names(): string[] {
    return [...this.#open].filter(([, counts]) => counts.length > 0).map(([seat]) => seat);
  }

  #change(seat: string, counts: number[]): void {
    this.total += Math.max(0, ...counts) - Math.max(0, ...(this.#open.get(seat) ?? []));
    this.#open.set(seat, counts);
  }
}

function sweep(evidence: Evidence, until: Until): Finding[] {
  const findings: Finding[] = [];
  const pools = new Map<string, OpenSeats>();
  const joins = joinsOf(evidence);
  const isKept = keptBy(evidence);
  const askedAt = askedFor(evidence);
  const known = new Set<string>();
  for (const { opens, right } of turns(rightsOf(evidence, until))) {
    const pool = pools.get(right.product) ?? new OpenSeats();
    pools.set(right.product, pool);
    const before = pool.total;
    if (!opens) pool.close(right);
    else pool.open(right);
    const isKnown = known.has(right.lease);
    known.add(right.lease);
    const goesOn = isKept(right);
    if (isKnown && goesOn) continue;
    if (!opens || pool.total === before || joins.has(right.lease)) continue;
    // It was judged with the journal that granted it.
    if (right.opensAt < (evidence.restoredAtT ?? 0)) continue;
    const sentAt = goesOn ? Math.min(right.sentAt, askedAt.get(right.lease) ?? Infinity) : right.sentAt;
    const owned = ownedWithin(evidence.grants, right.product, sentAt, right.opensAt).most;
    if (pool.total > owned)
      findings.push({
        ...{ rule: ruleOf(right, until), text: describe(right, pool, owned) },
        borrowers: pool.borrowers(),
      });
  }
  return findings;
}

/**
 * Leases granted on a seat that another lease kept taken by the journal: no seat more was issued. Its client may have stopped using it meanwhile
 * without the server knowing (a release that did not arrive, a restart that holds it for a window), and the capacity have shrunk.
 */
function joinsOf({ journal }: Evidence): Set<string> {
  const joins = new Set<string>();
  const open = new Map<string, number>();
  const seatOf = new Map<string, string>();
  for (const change of journal?.records.flatMap(({ changes }) => changes) ?? []) {
    if (change.type === 'lease.granted') {
      const { jti, seat } = (change.lease as { claims: { jti: string; seat: string } }).claims;
      if ((open.get(seat) ?? 0) > 0) joins.add(jti);
      open.set(seat, (open.get(seat) ?? 0) + 1);
      seatOf.set(jti, seat);
    } else if (change.type === 'lease.ended') {
      const seat = seatOf.get(String(change.id)) ?? '';
      open.set(seat, (open.get(seat) ?? 0) - 1);
    }
  }
  return joins;
}

/**
 * Whether the journal still had the lease as the server renewed it. A client that hears of a renewal late has stopped meanwhile, and goes on: the
 * server counted its seat all the time, so no seat more was issued, also when the capacity shrank.
 */
function keptBy({ journal }: Evidence): (right: Right) => boolean {
  const leases = journaledLeases(journal?.records ?? []);
  return ({ lease, seq }) => {
    const endedSeq = leases.get(lease)?.endedSeq;
    return endedSeq !== undefined && (endedSeq === 0 || endedSeq > seq);
  };
}

/**
 * When the leases of the journal were asked for. Where the answer with the grant did not arrive, the first that its client hears is a renewal; what was
 * owned since it asked for the seat counts, also when the capacity shrank meanwhile.
 */
function askedFor({ journal, entries }: Evidence): Map<string, number> {
  const sent = sentTimes(entries);
  const asked = new Map<string, number>();
  for (const [lease, { claims }] of journaledLeases(journal?.records ?? [])) {
    const t = sent.get(claims.nonce);
    if (t !== undefined) asked.set(lease, t);
  }
  return asked;
}

/** What opens and closes, in order; at one instant closings come first. */
function turns(rights: readonly Right[]): { t: number; opens: boolean; right: Right }[] {
  return rights
    .flatMap((right) => [
      { t: right.opensAt, opens: true, right },
      { t: right.closesAt, opens: false, right },
    ])
    .sort((a, b) => a.t - b.t || Number(a.opens) - Number(b.opens));
}

function ruleOf(right: Right, until: Until): Finding['rule'] {
  if (until === 'client') return 'I1';
  return right.kind === 'online' ? 'I2' : 'I3';
}

function describe({ product, lease, seat, process, opensAt }: Right, pool: OpenSeats, owned: number): string {
  const others = pool.names().filter((name) => name !== seat);
  return (
    `${process} got lease ${lease} on seat ${seat} of ${product} at ${Math.round(opensAt)} ms: ` +
    `${pool.total} seats open, ${owned} owned (others: ${others.join(', ')})`
  );
}
