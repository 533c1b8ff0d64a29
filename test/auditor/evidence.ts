import { withoutEchoes } from './echoes.js';
import type { Export } from './exports.js';
import { type Entry, type EntryOf, eventsOf } from './history.js';
import type { JournalRead } from './journal-reader.js';
import type { MailTaken } from './mails.js';
import { askedAgain, pendingInBackup, Unanswered } from './pending-removals.js';
import {
  type EntitlementClaims,
  isSignedBy as isEd25519,
  type LeaseClaims,
  readToken,
  type Token,
} from './token.js';

/** Everything that is judged. */
export interface Case {
  readonly entries: readonly Entry[];
  /** The vendor whose word counts, `ed25519:…`. */
  readonly vendorKey: string;
  readonly serverKey: string;
  /** The reopened data folder; left out: only what the clients saw is judged. */
  readonly journal?: JournalRead;
  /** What admins hold of the journal, whatever of it is gone. */
  readonly exports?: readonly Export[];
  /** Left out: Ed25519. */
  readonly isSignedBy?: (token: Token<unknown>, key: string) => boolean;
  /** The clocks of the processes drift against each other as far as I2 and I3 allow. Left out: all are those of one machine. */
  readonly clocksDrift?: boolean;
  /** Also by the rules that so far only simulations are known to fit: the journal replayed, the line, the plugins' own words. */
  readonly isThorough?: boolean;
  /** What a mail server took, if somebody watched one. */
  readonly mails?: readonly MailTaken[];
  /** A span in which nothing goes wrong, no process ends, and every client has had time to connect. Left out: nobody knows of one. */
  readonly quiet?: Quiet;
  /** When the server was made of a backup (I9): `journal` knows nothing of what was acknowledged between the two. Left out: never. */
  readonly restoredAtT?: number;
}

export interface Quiet {
  readonly fromT: number;
  readonly untilT: number;
}

/** One thing that must not be. `rule` is the invariant of DESIGN 3 it breaks, or what it is about. */
export interface Finding {
  readonly rule:
    | ('I1' | 'I2' | 'I3' | 'I5' | 'I6' | 'I7' | 'I8' | 'I9')
    | ('EQUATION' | 'STATUS' | 'CHAIN' | 'JOURNAL')
    /** What a checkout asked for; who shares a seat; for whom a seat lingers; who waits; who is idle. */
    | ('GRANT' | 'SHARE' | 'LINGER' | 'LINE' | 'IDLE')
    | ('ALLOCATION' | 'SHARING' | 'BORROW' | 'ENTITLEMENT' | 'REMOVAL' | 'CREDIT')
    /** Rows of bulk jobs; mails; checkpoints and exports of the journal. */
    | ('BULK' | 'MAIL' | 'I10')
    /** Who may ask for what; what an admin asked for; forced releases that are set for later. */
    | ('ROLE' | 'ASKED' | 'RELEASE')
    /** With what somebody joins; whether clients renew what they have. */
    | ('ENROL' | 'KEPT' | 'CLOCK');
  readonly text: string;
  /** Whose borrows it rests on, by process: how long one lasts is a question of wall clocks (I3). Left out: no wall clock has a part in it. */
  readonly borrowers?: readonly string[];
}

/** A lease token a client received. */
export interface LeaseSeen {
  readonly token: Token<LeaseClaims>;
  readonly answer: EntryOf<'answer'>;
  /** When the request it answers was first sent; null when nobody asked with its nonce. */
  readonly sentAt: number | null;
}

/** Seats that an entitlement adds to what is owned, at the longest. */
export interface Grant {
  readonly claims: EntitlementClaims;
  readonly fromT: number;
  readonly untilT: number;
  /** Spans in which it may be gone already: its removal was asked for, and nobody has heard what became of it. */
  readonly doubts: readonly Doubt[];
}

interface Doubt {
  readonly fromT: number;
  untilT: number;
}

export interface Evidence extends Case {
  readonly leases: readonly LeaseSeen[];
  /** Of before a restore: no word about the journal that is there now. */
  readonly earlier?: readonly LeaseSeen[];
  readonly grants: readonly Grant[];
  /** By id: every revision of an entitlement that was seen. */
  readonly entitlements: ReadonlyMap<string, readonly Token<EntitlementClaims>[]>;
  /** Lease -> when its client first said that it no longer uses it. */
  readonly givenBack: ReadonlyMap<string, number>;
  /** Tokens that cannot be read at all. */
  readonly unreadable: readonly Finding[];
  readonly endT: number;
}

export function gather(input: Case): Evidence {
  const { entries } = input;
  const unreadable: Finding[] = [];
  const leases = leasesSeen(entries, unreadable);
  const entitlements = entitlementsSeen(entries, unreadable);
  return {
    ...input,
    leases,
    entitlements,
    grants: grantsOf(input),
    givenBack: firstTimes(input, keysOf(leases)),
    unreadable,
    endT: entries.at(-1)?.t ?? 0,
  };
}

/** An entitlement ends by the clock of the server; where clocks differ, it may be that much ahead of whoever imported it, or behind. */
const SERVER_FAST_MS = 5 * 3_600_000;
const SERVER_SLOW_MS = 40 * 60_000;

/** Shifts a wall clock moment to the monotonic clock, by the clocks of the entry. */
export function monotonic(wallMs: number, entry: Pick<Entry, 't' | 'wallMs'>): number {
  return entry.t + (wallMs - entry.wallMs);
}

/** Nonce -> when it was first sent. */
export function sentTimes(entries: readonly Entry[]): Map<string, number> {
  const firstSent = new Map<string, number>();
  for (const { nonce, t } of eventsOf(entries, 'request')) {
    if (nonce !== undefined && !firstSent.has(nonce)) firstSent.set(nonce, t);
  }
  return firstSent;
}

function leasesSeen(entries: readonly Entry[], unreadable: Finding[]): LeaseSeen[] {
  const firstSent = sentTimes(entries);
  const seen: LeaseSeen[] = [];
  for (const answer of eventsOf(entries, 'answer')) {
    for (const text of answer.leases) {
      const token = readToken('lease', text);
      if (typeof token === 'string') unreadable.push({ rule: 'CHAIN', text: `a lease ${token}: ${text}` });
      else seen.push({ token, answer, sentAt: firstSent.get(token.claims.nonce) ?? null });
    }
  }
  return seen;
}

function entitlementsSeen(
  entries: readonly Entry[],
  unreadable: Finding[],
): Map<string, Token<EntitlementClaims>[]> {
  const texts = new Set<string>();
  for (const { entitlements } of eventsOf(entries, 'answer'))
    for (const text of entitlements) texts.add(text);
  for (const { entitlement } of eventsOf(entries, 'imported')) texts.add(entitlement);
  const found = new Map<string, Token<EntitlementClaims>[]>();
  for (const text of texts) {
    const token = readToken('entitlement', text);
    if (typeof token === 'string')
      unreadable.push({ rule: 'CHAIN', text: `an entitlement ${token}: ${text}` });
    else found.set(token.claims.jti, [...(found.get(token.claims.jti) ?? []), token]);
  }
  return found;
}

/**
 * An id counts once, with its newest revision; what it replaces ends with the answer that said so. The server may have known an entitlement
 * since the first request that brought it.
 */
function grantsOf({ entries: all, clocksDrift, journal }: Case): Grant[] {
  const entries = withoutEchoes(all);
  const isAskedAgain = askedAgain(all, entries);
  const lastRestore = eventsOf(all, 'restored').at(-1);
  const pending = pendingInBackup(journal);
  const unanswered = new Unanswered();
  const firstSent = new Map<string, number>();
  for (const { key, t } of eventsOf(entries, 'request'))
    if (key !== undefined && !firstSent.has(key)) firstSent.set(key, t);
  const grants: (Grant & { untilT: number; doubts: Doubt[]; readonly answeredT: number })[] = [];
  const replaced = new Set<string>();
  const removals = new Map<string, Doubt[]>();
  /** Who has asked for a removal, and since when. */
  const removingT = new Map<string, number>();
  /** @param answeredUntilT what was answered later may be the newer: its doubts say so */
  const end = (id: string | undefined, t: number, answeredUntilT = t): void => {
    for (const grant of grants)
      if (grant.claims.jti === id && grant.answeredT <= answeredUntilT)
        grant.untilT = Math.min(grant.untilT, t);
  };
  const add = (claims: EntitlementClaims, fromT: number, entry: Entry): void => {
    const endsT = monotonic(claims.exp * 1000, entry);
    const grant = { claims, fromT, untilT: endsT, doubts: [] as Doubt[], answeredT: entry.t };
    if (clocksDrift === true) {
      grant.untilT += SERVER_SLOW_MS;
      grant.doubts.push({ fromT: endsT - SERVER_FAST_MS, untilT: Number.POSITIVE_INFINITY });
    }
    // A removal that was left pending outlives new revisions, and the answer to an import may come after it.
    grant.doubts.push(...(removals.get(claims.jti) ?? []));
    grants.push(grant);
  };
  const startAnew = (entry: EntryOf<'restored'>): void => {
    for (const { claims } of [...grants]) end(claims.jti, entry.t);
    replaced.clear();
    // One that was asked for may have been pending when the backup was made, whatever became of it since: the journal goes on from the last one.
    const known = entry === lastRestore ? pending : null;
    for (const id of [...removals.keys()]) {
      const mayBe = known === null || known.has(id) || unanswered.of(id) || isAskedAgain(id, entry);
      if (mayBe) removals.set(id, [{ fromT: entry.t, untilT: Number.POSITIVE_INFINITY }]);
      else removals.delete(id);
    }
    for (const text of entry.entitlements) {
      const token = readToken('entitlement', text);
      if (typeof token !== 'string') add(token.claims, entry.t, entry);
    }
  };
  for (const entry of entries) {
    if (entry.event === 'restored') startAnew(entry);
    unanswered.look(entry);
    if (entry.event === 'removed' || entry.event === 'removing') {
      const who = `${entry.process} ${entry.id}`;
      if (entry.event === 'removing') removingT.set(who, removingT.get(who) ?? entry.t);
      else {
        end(entry.id, entry.t, removingT.get(who));
        removingT.delete(who);
      }
    }
    if (entry.event === 'removing' || entry.event === 'kept') doubt(grants, removals, entry);
    if (entry.event !== 'imported') continue;
    const token = readToken('entitlement', entry.entitlement);
    if (typeof token === 'string') continue;
    const { claims } = token;
    // What was replaced has ended for good, whoever accepts it once more.
    if (replaced.has(claims.jti)) continue;
    if (claims.replaces !== undefined) replaced.add(claims.replaces);
    const sentAt = firstSent.get(entry.key ?? '') ?? entry.sentAt;
    // Of two revisions the higher came later, whichever answer did: one was lost, and asked for again with its key.
    const newer = grants.find(
      (grant) => grant.claims.jti === claims.jti && grant.claims.rev > claims.rev && grant.untilT > entry.t,
    );
    if (newer === undefined || newer.answeredT < sentAt) end(claims.jti, entry.t);
    end(claims.replaces, entry.t);
    add(claims, Math.max(sentAt, monotonic(claims.nbf * 1000, entry)), entry);
    // The first of its kind: while it is on its way nobody knows.
    const own = [claims.jti, claims.replaces];
    const kin = grants.slice(0, -1).some((grant) => own.includes(grant.claims.jti) && grant.untilT > sentAt);
    if (!kin) grants.at(-1)!.doubts.push({ fromT: sentAt, untilT: entry.t });
    if (newer !== undefined && sentAt <= newer.answeredT) grants.at(-1)!.untilT = newer.answeredT;
  }
  return grants;
}

function doubt(
  grants: readonly { claims: EntitlementClaims; doubts: Doubt[] }[],
  removals: Map<string, Doubt[]>,
  { event, id, t }: EntryOf<'removing'> | EntryOf<'kept'>,
): void {
  const own = grants.filter(({ claims }) => claims.jti === id);
  if (event === 'removing') {
    const asked = { fromT: t, untilT: Number.POSITIVE_INFINITY };
    removals.set(id, [...(removals.get(id) ?? []), asked]);
    for (const { doubts } of own) doubts.push(asked);
    return;
  }
  for (const { doubts } of own)
    for (const each of doubts.filter(({ fromT }) => fromT <= t)) each.untilT = Math.min(each.untilT, t);
}

/** Seats of a product among some leases. */
export function rightSeats(leases: readonly LeaseClaims[], product: string): number {
  return leases.filter((lease) => lease.product === product).reduce((sum, { n }) => sum + n, 0);
}

/** Lease -> the key of its device. */
function keysOf(leases: readonly LeaseSeen[]): Map<string, string> {
  return new Map(leases.map(({ token: { claims } }) => [claims.jti, claims.dev]));
}

/** Processes by the keys that they proved to the server. */
export function keyHolders(entries: readonly Entry[]): (process: string, key: string) => boolean {
  const sessions = new Set(eventsOf(entries, 'session').map(({ process, device }) => `${process} ${device}`));
  return (process, key) => sessions.has(`${process} ${key}`);
}

/** Whoever returns a borrow says so by a stop that its device signed; anything else gives nothing back. */
function firstTimes(
  { entries, isSignedBy = isEd25519 }: Case,
  keys: ReadonlyMap<string, string>,
): Map<string, number> {
  const isOf = keyHolders(entries);
  const times = new Map<string, number>();
  const gaveBack = (lease: string, t: number): void => {
    times.set(lease, Math.min(times.get(lease) ?? Number.POSITIVE_INFINITY, t));
  };
  // Whoever says it of another device's lease says nothing.
  for (const { leases, process, t } of eventsOf(entries, 'released'))
    for (const lease of leases) {
      const key = keys.get(lease);
      if (key === undefined || isOf(process, key)) gaveBack(lease, t);
    }
  for (const { leases, stops, t } of eventsOf(entries, 'returned')) {
    // Whoever writes its own log need not write the stops down.
    if (stops === undefined) for (const lease of leases) gaveBack(lease, t);
    for (const text of stops ?? []) {
      const stop = readToken('stop', text);
      if (typeof stop !== 'string' && isSignedBy(stop, stop.claims.dev)) gaveBack(stop.claims.jti, t);
    }
  }
  return times;
}

/**
 * The fewest and the most seats of a product that may have been owned at any moment of a span: while a new revision is on its way, either of
 * the two counts.
 */
export function ownedWithin(
  grants: readonly Grant[],
  product: string,
  fromT: number,
  toT: number,
): { least: number; most: number } {
  const own = grants.filter(({ claims }) => claims.product === product);
  const moments = [fromT, toT, ...own.flatMap((grant) => [grant.fromT, grant.untilT])].filter(
    (t) => t >= fromT && t <= toT,
  );
  const sums = moments.map((t) => ownedAt(own, t));
  return {
    least: Math.min(...sums.map(({ least }) => least)),
    most: Math.max(...sums.map(({ most }) => most)),
  };
}

function ownedAt(grants: readonly Grant[], t: number): { least: number; most: number } {
  const revisions = new Map<string, number[]>();
  const open = grants.filter(({ fromT, untilT }) => fromT <= t && t < untilT);
  const origins = new Map(open.map(({ claims }) => [claims.jti, originOf(claims, open)]));
  for (const { claims, doubts } of open) {
    const isInDoubt = doubts.some((span) => span.fromT <= t && t < span.untilT);
    const may = isInDoubt ? [claims.seats, 0] : [claims.seats];
    const origin = origins.get(claims.jti)!;
    revisions.set(origin, [...(revisions.get(origin) ?? []), ...may]);
  }
  let [least, most] = [0, 0];
  for (const seats of revisions.values()) {
    least += Math.min(...seats);
    most += Math.max(...seats);
  }
  return { least, most };
}

/** What replaces another entitlement counts in its place: until there is an answer either of the two does. */
function originOf({ jti, replaces }: EntitlementClaims, open: readonly Grant[]): string {
  const old = replaces === undefined ? undefined : open.find(({ claims }) => claims.jti === replaces);
  return old === undefined ? jti : originOf(old.claims, open);
}
