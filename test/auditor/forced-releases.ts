import { actAt } from './acts.js';
import { durableBy } from './early-endings.js';
import type { Evidence, Finding } from './evidence.js';
import { eventsOf } from './history.js';
import type { JournalEntry } from './journal-entry.js';
import { oneServer } from './one-server.js';
import { RHO } from './rights.js';

/** A forced release that was set for later. */
interface Due {
  /** By the wall clock of the server. */
  readonly atMs: number;
  /** On the clock all share; null: another process of the server may count, or a clock that an admin vouched for. */
  asked: Asked | null;
}

/** When somebody asked for it, and the earliest moment that they meant. */
interface Asked {
  readonly t: number;
  readonly notBeforeT: number;
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
  const isOneServer = oneServer(evidence);
  for (const record of journal.records) {
    const accuse = (text: string) =>
      findings.push({ rule: 'RELEASE', text: `record ${record.seq}: ${text}` });
    record.changes.forEach(({ type, id, release, wallMs }, place) => {
      const lease = String(id);
      const { did, by, atMs } = actAt(record, place) ?? {};
      if (type === 'lease.warned')
        due.set(lease, { atMs: (release as { atMs: number }).atMs, asked: earliest(record, place) });
      if (type === 'clock.accepted' || (type === 'journal.checkpoint' && by === undefined))
        for (const each of due.values()) each.asked = null;
      // Nobody asked for it at that moment: it was set.
      if (type === 'lease.revoked' && did === 'expire') {
        const wrong = tooEarly(due.get(lease), atMs, seenBy(record.seq)?.t, isOneServer);
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
function earliestOf({ entries }: Evidence): (record: JournalEntry, place: number) => Asked | null {
  const asked = new Map<string, Asked>();
  for (const { key, office, t } of eventsOf(entries, 'request'))
    if (key !== undefined && typeof office?.inSeconds === 'number' && !asked.has(key))
      asked.set(key, { t, notBeforeT: t + office.inSeconds * 1000 * (1 - RHO) });
  return (record, place) => {
    const { first = 0, count = 0 } = actAt(record, place) ?? {};
    const kept = record.changes.slice(first, first + count).find(({ type }) => type === 'request.kept');
    const { id = '' } = (kept?.request ?? {}) as { readonly id?: string };
    return asked.get(id.split(' ').at(-1)!) ?? null;
  };
}

/** In words, why it should not have come; null: it should. A server that was started anew goes by another clock than the one that set it (I5). */
function tooEarly(
  due: Due | undefined,
  atMs: number | undefined,
  seenT: number | undefined,
  isOneServer: (fromT: number, toT: number) => boolean,
): string | null {
  if (due === undefined) return 'and nobody had set that, or it was called off';
  if (due.atMs > (atMs ?? due.atMs)) return `${due.atMs - atMs!} ms too early by its own clock`;
  const { asked } = due;
  if (asked === null || seenT === undefined || seenT >= asked.notBeforeT || !isOneServer(asked.t, seenT))
    return null;
  return `${Math.round(asked.notBeforeT - seenT)} ms before whoever asked for it had said`;
}
