import { actAt } from './acts.js';
import { durableBy } from './early-endings.js';
import type { Evidence, Finding } from './evidence.js';
import { eventsOf } from './history.js';
import type { JournalEntry } from './journal-entry.js';
import { RHO } from './rights.js';

/** A forced release that was set for later. */
interface Due {
  /** By the wall clock of the server. */
  readonly atMs: number;
  /** Not before this moment on the clock all share; null: another process of the server may count, or a clock that an admin vouched for. */
  notBeforeT: number | null;
}

/**
 * A forced release that is set for later (PROTOCOL 7.23) comes then and not before, and not at all once it was called off: by the clock that the journal itself
 * carries, which every restart goes on from, and by that of whoever asked.
 */
export function releasesWrong(evidence: Evidence): Finding[] {
  const { journal } = evidence;
  if (journal === undefined || journal.fault !== null) return [];
  const findings: Finding[] = [];
  const due = new Map<string, Due>();
  const seenBy = durableBy(evidence);
  const earliest = earliestOf(evidence);
  for (const record of journal.records) {
    const accuse = (text: string) =>
      findings.push({ rule: 'RELEASE', text: `record ${record.seq}: ${text}` });
    record.changes.forEach(({ type, id, release, wallMs }, place) => {
      const lease = String(id);
      const { did, by, atMs } = actAt(record, place) ?? {};
      if (type === 'lease.warned')
        due.set(lease, { atMs: (release as { atMs: number }).atMs, notBeforeT: earliest(record, place) });
      if (type === 'clock.accepted' || (type === 'journal.checkpoint' && by === undefined))
        for (const each of due.values()) each.notBeforeT = null;
      // Nobody asked for it at that moment: it was set.
      if (type === 'lease.revoked' && did === 'expire') {
        const wrong = tooEarly(due.get(lease), atMs, seenBy(record.seq)?.t);
        if (wrong !== null) accuse(`lease ${lease} is revoked by itself ${wrong}`);
      }
      if (ending.has(type)) due.delete(lease);
      // What is over by a clock is ended before a commit carries that clock.
      if (type === 'clock.seen')
        for (const [late, each] of due)
          if (each.atMs < (wallMs as number)) {
            accuse(`lease ${late} was to be revoked ${(wallMs as number) - each.atMs} ms ago`);
            due.delete(late);
          }
    });
  }
  return findings;
}

const ending: ReadonlySet<string> = new Set(['lease.kept', 'lease.revoked', 'lease.ended']);

/** Of a release that one command set: when whoever asked for it meant at the earliest. */
function earliestOf({ entries }: Evidence): (record: JournalEntry, place: number) => number | null {
  const asked = new Map<string, number>();
  for (const { key, office, t } of eventsOf(entries, 'request'))
    if (key !== undefined && typeof office?.inSeconds === 'number' && !asked.has(key))
      asked.set(key, t + office.inSeconds * 1000 * (1 - RHO));
  return (record, place) => {
    const { first = 0, count = 0 } = actAt(record, place) ?? {};
    const kept = record.changes.slice(first, first + count).find(({ type }) => type === 'request.kept');
    const { id = '' } = (kept?.request ?? {}) as { readonly id?: string };
    return asked.get(id.split(' ').at(-1)!) ?? null;
  };
}

/** In words, why it should not have come; null: it should. */
function tooEarly(due: Due | undefined, atMs: number | undefined, seenT: number | undefined): string | null {
  if (due === undefined) return 'and nobody had set that, or it was called off';
  if (due.atMs > (atMs ?? due.atMs)) return `${due.atMs - atMs!} ms too early by its own clock`;
  const earlyMs = Math.round((due.notBeforeT ?? 0) - (seenT ?? Number.POSITIVE_INFINITY));
  return earlyMs > 0 ? `${earlyMs} ms before whoever asked for it had said` : null;
}
