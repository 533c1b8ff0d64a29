import type { Act } from '../domain/acts.js';
import type { Change, ChangeType } from '../domain/changes.js';
import { decodeCommit } from '../store/records.js';
import { type Facts, factsOf } from './facts.js';

/** One act as an auditor sees it: who did what, when, from where and with which device, and what changed by it. */
export interface Entry extends Place {
  /** `null`: records of a berthd that did not keep it. */
  readonly atMs: number | null;
  /** The command; `null` as above. */
  readonly did: string | null;
  /** `null`: the server itself, or not kept. */
  readonly by: string | null;
  readonly device: string | null;
  readonly from: string | null;
  readonly changes: readonly Shown[];
}

/** Where an entry stands: its record, and its place among the acts of that record. */
export interface Place {
  readonly seq: number;
  readonly place: number;
}

export interface Shown {
  readonly kind: ChangeType;
  readonly facts: Facts;
  /** Those facts that were something else before. */
  readonly was: Facts;
}

/** What somebody looks for. Everything that is said must hold; product and kind of one and the same change. */
export interface Query {
  /** Who did it, or whom it was about. */
  readonly user?: string;
  /** Who did it. */
  readonly by?: string;
  readonly product?: string;
  /** A kind of change, or the first word of several. */
  readonly kind?: string;
  /** Only what somebody asked for. */
  readonly people?: boolean;
  /** From this moment on. */
  readonly sinceMs?: number;
  /** Before this moment. */
  readonly untilMs?: number;
}

/** The acts of one record, in order, without those of which nothing is shown. */
export function entriesOf(seq: number, payload: Uint8Array): Entry[] {
  const { changes, acts } = decodeCommit(payload);
  if (acts.length === 0) {
    const unsigned = { seq, place: 0, atMs: null, did: null, by: null, device: null, from: null };
    return [{ ...unsigned, changes: shownOf(changes, undefined) }].filter(isShown);
  }
  return acts
    .map((act, place): Entry => {
      const { atMs, did, by = null, device = null, from = null, first, count, before } = act;
      const shown = shownOf(changes.slice(first, first + count), before);
      return { seq, place, atMs, did, by, device, from, changes: shown };
    })
    .filter(isShown);
}

const isShown = ({ changes }: Entry): boolean => changes.length > 0;

function shownOf(changes: readonly Change[], before: Act['before']): Shown[] {
  return changes.flatMap((change, place) => {
    const said = factsOf(change);
    if (said === null) return [];
    const known = Object.entries(before?.[place] ?? {});
    const about = Object.fromEntries(known.filter(([name]) => !(name in said)));
    const was = Object.fromEntries(known.filter(([name, value]) => name in said && said[name] !== value));
    return [{ kind: change.type, facts: { ...about, ...said }, was }];
  });
}

export function matches(entry: Entry, query: Query): boolean {
  const { user, by, product, kind, people, sinceMs, untilMs } = query;
  if (people === true && entry.by === null) return false;
  if (by !== undefined && entry.by !== by) return false;
  if (sinceMs !== undefined && (entry.atMs === null || entry.atMs < sinceMs)) return false;
  if (untilMs !== undefined && (entry.atMs === null || entry.atMs >= untilMs)) return false;
  return entry.changes.some(
    ({ kind: is, facts }) =>
      (user === undefined || entry.by === user || facts.user === user) &&
      (product === undefined || facts.product === product) &&
      (kind === undefined || is === kind || groupOf(is) === kind),
  );
}

/** The words by which a block of records may be passed over without reading it: those of a query that fits are among them. */
export function wordsOf({ by, changes }: Entry): string[] {
  const words = by === null ? [] : [`by ${by}`, `user ${by}`];
  for (const { kind, facts } of changes) {
    words.push(`kind ${kind}`, `kind ${groupOf(kind)}`);
    if (typeof facts.user === 'string') words.push(`user ${facts.user}`);
    if (typeof facts.product === 'string') words.push(`product ${facts.product}`);
  }
  return words;
}

export function queryWords({ user, by, product, kind }: Query): string[] {
  const named = { user, by, product, kind };
  return Object.entries(named).flatMap(([name, value]) => (value === undefined ? [] : [`${name} ${value}`]));
}

/** `lease` of `lease.granted`. */
function groupOf(kind: string): string {
  return kind.slice(0, kind.indexOf('.'));
}
