import { Comebacks } from './comebacks.js';
import { durableBy } from './early-endings.js';
import type { Evidence, Finding } from './evidence.js';
import type { EntryOf } from './history.js';
import type { Change } from './journal-entry.js';

// Decision 0006: a line, first come first served. What an outsider can tell: who was told to wait before somebody else had even asked, never
// left, or was back in time before the other was served, and was served later from the same shared seats was overtaken.

/** A seat that is kept for whoever waits may be theirs only at the next tick of the server; a newcomer takes another one meanwhile. */
const LATE_MS = 5_000;

/** A moment at which a record was not there yet: somebody asked then and got a token that names an earlier one. */
function notDurableUntil({ leases }: Evidence): (seq: number) => number {
  return (seq) => {
    let latest = 0;
    for (const { token, sentAt } of leases)
      if (sentAt !== null && token.claims.seq < seq) latest = Math.max(latest, sentAt);
    return latest;
  };
}

interface Wait {
  readonly key: string;
  readonly process: string;
  readonly product: string;
  readonly seats: number;
  readonly sentAt: number;
  /** When it was told its place. */
  queuedAt: number;
  /** The record that served it. */
  seq: number;
  /** When its answer came. */
  answeredAt: number;
}

export function overtaken(evidence: Evidence): Finding[] {
  const { journal, entries } = evidence;
  if (journal === undefined) return [];
  const waits = waitsOf(entries, servedFromShared(journal.records));
  const comebacks = new Comebacks(evidence);
  const [seenBy, notBefore] = [durableBy(evidence), notDurableUntil(evidence)];
  return waits.flatMap((first) => {
    if (!Number.isFinite(first.queuedAt)) return [];
    const since = comebacks.standsSince(first);
    if (since === null) return [];
    const cameBack = since > first.queuedAt;
    return waits
      .filter((later) => overtakes(later, first))
      .filter((later) => !cameBack || Math.max(later.sentAt, comebacks.decidedSince(later.seq)) >= since)
      .filter((later) => notBefore(first.seq) - (seenBy(later.seq)?.t ?? later.answeredAt) > LATE_MS)
      .slice(0, 1)
      .map((later): Finding => {
        const back = cameBack ? `, came back to its place at ${Math.round(since)} ms` : '';
        return {
          rule: 'LINE',
          text: `${first.process} waited for ${first.seats} of ${first.product} since ${Math.round(first.queuedAt)} ms${back} and was served by record ${first.seq}, ${later.process} asked at ${Math.round(later.sentAt)} ms and was served by record ${later.seq}`,
        };
      });
  });
}

function overtakes(later: Wait, first: Wait): boolean {
  return (
    later.product === first.product &&
    later.sentAt > first.queuedAt &&
    later.seats >= first.seats &&
    later.seq < first.seq
  );
}

/** Checkouts of one product that took new, shared seats. */
function waitsOf(entries: Evidence['entries'], served: ReadonlyMap<string, number>): Wait[] {
  const waits = new Map<string, Wait>();
  for (const entry of entries) {
    if (entry.event === 'request') enter(waits, entry, served);
    const key = entry.event === 'pushed' ? entry.checkout : entry.event === 'answer' ? entry.key : undefined;
    const wait = waits.get(key ?? '');
    if (wait === undefined) continue;
    if (entry.event === 'pushed') wait.queuedAt = Math.min(wait.queuedAt, entry.t);
    else wait.answeredAt = Math.min(wait.answeredAt, entry.t);
  }
  return [...waits.values()].filter(({ answeredAt }) => Number.isFinite(answeredAt));
}

function enter(
  waits: Map<string, Wait>,
  { key, process, t, wants }: EntryOf<'request'>,
  served: ReadonlyMap<string, number>,
): void {
  const [want] = wants ?? [];
  const seq = served.get(key ?? '');
  if (key === undefined || waits.has(key) || want === undefined || seq === undefined) return;
  const [product] = want.products;
  if (wants!.length > 1 || want.products.length > 1 || product === undefined) return;
  const open = { queuedAt: Number.POSITIVE_INFINITY, answeredAt: Number.POSITIVE_INFINITY };
  waits.set(key, { key, process, product, seats: want.seats, sentAt: t, seq, ...open });
}

/**
 * Key -> the record that served it, where it took new seats from the shared ones alone, and gave up none of its own for them. Who joins a seat that somebody
 * else has taken in the same record takes none.
 */
function servedFromShared(
  records: readonly { seq: number; changes: readonly Change[] }[],
): Map<string, number> {
  const served = new Map<string, number>();
  for (const { seq, changes } of records) {
    if (changes.some(({ type, reason }) => type === 'seat.freed' && reason === 'given up')) continue;
    const shared = new Set(
      changes.flatMap(({ type, seat }) => {
        const { id, allocation } = (seat ?? {}) as { id: string; allocation: string | null };
        return type === 'seat.taken' && allocation === null ? [id] : [];
      }),
    );
    const takers = new Set(
      changes.flatMap(({ type, lease }) => {
        if (type !== 'lease.granted') return [];
        const { jti, seat } = (lease as { claims: { jti: string; seat: string } }).claims;
        return shared.delete(seat) ? [jti] : [];
      }),
    );
    for (const { type, request } of changes) {
      if (type !== 'request.kept') continue;
      const { id, method, leases } = request as { id: string; method: string; leases: string[] };
      const isTaken = method === 'checkout' && leases.every((lease) => takers.has(lease));
      if (isTaken) served.set(id.split(' ').at(-1)!, seq);
    }
  }
  return served;
}
