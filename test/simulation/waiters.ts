import { BerthError } from '@berth/client';
import { type Entry, eventsOf } from '../auditor/history.js';
import type { Owner } from './sim-time.js';
import type { Computer, Site } from './site.js';

/** A checkout that was asked for and has no answer yet. */
interface Waiter {
  readonly who: string;
  readonly computer: Computer;
  /** Its process. */
  readonly owner: Owner;
  readonly sinceMs: number;
  outcome: 'open' | 'served' | 'told';
}

/** Who has asked for a seat and waits, and which processes still live: none of them may be forgotten. */
export class Waiters {
  readonly #site: Site;
  readonly #open = new Set<Waiter>();
  readonly #lives = new Set<{ readonly who: string; readonly owner: Owner }>();
  #atHealing: readonly Waiter[] = [];

  constructor(site: Site) {
    this.#site = site;
  }

  /** The promise, watched. @param waitMs how long the caller is ready to stand in line */
  async watch<T>(computer: Computer, waitMs: number, asked: Promise<T>): Promise<T> {
    if (waitMs === 0) return asked;
    const who = `${computer.name}/${computer.processes}`;
    const sinceMs = this.#site.time.nowMs;
    const waiter: Waiter = { who, computer, owner: computer.owner, sinceMs, outcome: 'open' };
    this.#open.add(waiter);
    try {
      const seat = await asked;
      waiter.outcome = 'served';
      return seat;
    } catch (error) {
      if (error instanceof BerthError) waiter.outcome = 'told';
      throw error;
    } finally {
      this.#open.delete(waiter);
    }
  }

  /** A process that must come to its end once everybody gives back what they have. */
  async live(who: string, owner: Owner, life: Promise<void>): Promise<void> {
    const entry = { who, owner };
    this.#lives.add(entry);
    await life;
    this.#lives.delete(entry);
  }

  /** Where somebody waits. */
  get computers(): readonly Computer[] {
    const waiting = [...this.#open].filter(({ owner }) => !owner.dead);
    return [...new Set(waiting.map(({ computer }) => computer))];
  }

  /** From now on nothing fails: whoever stands in line must hear something. */
  heal(): void {
    this.#atHealing = [...this.#open].filter(({ owner }) => !owner.dead);
  }

  /** How many stood in line when faults stopped, and what became of them. */
  get served(): { readonly waiting: number; readonly served: number; readonly told: number } {
    const count = (outcome: Waiter['outcome']) =>
      this.#atHealing.filter((waiter) => waiter.outcome === outcome).length;
    return { waiting: this.#atHealing.length, served: count('served'), told: count('told') };
  }

  /** At the end of the liveness phase. */
  judge(): void {
    for (const { who, owner, sinceMs, outcome } of this.#atHealing) {
      if (outcome === 'open' && !owner.dead)
        this.#site.violation(
          `${who} has waited for a seat since ${Math.round(sinceMs)} ms and heard nothing`,
        );
    }
    for (const { who, owner } of this.#lives)
      if (!owner.dead) this.#site.violation(`${who} never came to its end`);
  }
}

/** Checkouts that were told a place in line, those of them that came back to it over another session, and those that got a seat. */
export function stoodInLine(entries: readonly Entry[]): Record<'inLine' | 'cameBack' | 'seated', number> {
  const asked = new Map<string, number>();
  const counts = { inLine: 0, cameBack: 0, seated: 0 };
  for (const { method, key = '' } of eventsOf(entries, 'request'))
    if (method === 'lease.checkout') asked.set(key, (asked.get(key) ?? 0) + 1);
  const told = new Set(eventsOf(entries, 'pushed').flatMap(({ checkout }) => checkout ?? []));
  const answered = new Set(eventsOf(entries, 'answer').flatMap(({ key }) => key ?? []));
  for (const key of told) {
    counts.inLine++;
    if (asked.get(key)! > 1) counts.cameBack++;
    if (answered.has(key)) counts.seated++;
  }
  return counts;
}
