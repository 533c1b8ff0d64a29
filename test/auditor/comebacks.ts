import type { Evidence } from './evidence.js';
import { eventsOf } from './history.js';
import { DECIDED_AHEAD } from './journal-entry.js';
import { oneServer } from './one-server.js';

// PROTOCOL 8.1: whoever waits and comes back within 30 s of a broken connection finds its old place, unless the server was started anew meanwhile.

/** How long a place is kept, less what the server's clock may be ahead by meanwhile (I2: rho), ms. */
const PLACE_KEPT_MS = 30_000 * (1 - 2e-3);

/** Somebody who waits, by the key of the checkout. */
export interface Waiting {
  readonly key: string;
  readonly process: string;
  readonly queuedAt: number;
  readonly answeredAt: number;
}

/** Who left the line and came back to their place, and when what was decided can have been decided at the earliest. */
export class Comebacks {
  readonly #evidence: Evidence;
  readonly #sessions = new Map<string, number[]>();
  readonly #asked = new Map<string, number[]>();
  readonly #askers = new Map<string, Set<string>>();
  readonly #told = new Map<string, number[]>();
  readonly #isOneServer: (fromT: number, toT: number) => boolean;
  #decided: readonly number[] | null = null;

  constructor(evidence: Evidence) {
    this.#evidence = evidence;
    this.#isOneServer = oneServer(evidence);
    const { entries } = evidence;
    for (const { process, t } of eventsOf(entries, 'session')) push(this.#sessions, process, t);
    for (const { method, key, t, process } of eventsOf(entries, 'request')) {
      if (method !== 'lease.checkout' || key === undefined) continue;
      push(this.#asked, key, t);
      this.#askers.set(key, (this.#askers.get(key) ?? new Set()).add(process));
    }
    for (const { checkout, t } of eventsOf(entries, 'pushed'))
      if (checkout !== undefined) push(this.#told, checkout, t);
  }

  /**
   * Since when somebody stands where they first stood, without a break until they were served: since they were first told their place, or since they
   * came back to it. `null`: they may have lost it.
   */
  standsSince({ key, process, queuedAt, answeredAt }: Waiting): number | null {
    // The process that stood there died, and the next one of its device asked with its key.
    if (this.#askers.get(key)!.size > 1) return null;
    if (!this.#hasSession(process, queuedAt, answeredAt)) return queuedAt;
    const asked = this.#asked.get(key)!;
    if (this.#hasSession(process, asked.at(-1)!, answeredAt)) return null;
    let since: number | null = null;
    for (const [at, t] of asked.entries()) {
      const told = this.#told.get(key)!.find((each) => each >= t && each < (asked[at + 1] ?? answeredAt));
      if (told === undefined) return null;
      const before = asked[at - 1];
      // The connection of before broke after it had brought what was asked on it.
      if (before !== undefined && (told - before > PLACE_KEPT_MS || !this.#isOneServer(before, told)))
        return null;
      since = told;
    }
    return since;
  }

  /** No record from this one on was decided before that moment. */
  decidedSince(seq: number): number {
    this.#decided ??= earliest(this.#evidence);
    return this.#decided[seq] ?? 0;
  }

  /** Both ends included. */
  #hasSession(process: string, fromT: number, toT: number): boolean {
    return (this.#sessions.get(process) ?? []).some((t) => t >= fromT && t <= toT);
  }
}

/** By the number of a record: what was asked for later than that is in an earlier one, or its answer names one so early that this was not begun. */
function earliest({ entries, journal, leases }: Evidence): number[] {
  const firstSent = new Map<string, number>();
  for (const { key, t } of eventsOf(entries, 'request'))
    if (key !== undefined && !firstSent.has(key)) firstSent.set(key, t);
  const since: number[] = [];
  const note = (seq: number, t: number): void => {
    since[seq] = Math.max(since[seq] ?? 0, t);
  };
  for (const { seq, changes } of journal?.records ?? []) {
    note(seq, 0);
    for (const { type, request } of changes)
      if (type === 'request.kept')
        note(seq + 1, firstSent.get((request as { id: string }).id.split(' ').at(-1)!) ?? 0);
  }
  for (const { token, sentAt } of leases)
    if (sentAt !== null) note(token.claims.seq + DECIDED_AHEAD + 1, sentAt);
  for (let seq = 1; seq < since.length; seq++) since[seq] = Math.max(since[seq] ?? 0, since[seq - 1] ?? 0);
  return since;
}

function push(lists: Map<string, number[]>, name: string, t: number): void {
  const list = lists.get(name);
  if (list === undefined) lists.set(name, [t]);
  else list.push(t);
}
