import type { Keys } from '../system/device-keys.js';
import type { Target } from './peer.js';
import type { Seen } from './requests.js';

/** What an attacker has in its hand: a place on the network, devices that were enrolled in order, and what it may have overheard. */
export interface Field extends Target {
  readonly serverKey: string;
  /** Enrolled devices, all its own; each comes from an address of its own (`addressOf`). */
  readonly devices: readonly Keys[];
  /** Leases of the honest. */
  readonly foreign: readonly Seen[];
  /** How long it lasts. */
  readonly seconds: number;
  /** Aborted when its time is over. */
  readonly over: AbortSignal;
}

/** What came of it. */
export interface Outcome {
  /** How much was tried and what the server said, for people. */
  readonly counts: Readonly<Record<string, number>>;
  /** What it got that is not its own: must stay empty. */
  readonly stolen: readonly string[];
  /** Where the server did not answer as it must. */
  readonly problems: readonly string[];
}

export interface Attack {
  readonly name: string;
  /** One line for the help. */
  readonly what: string;
  /** It comes from the address of the honest: nothing tells its sockets from those of newcomers there, so these may be kept out. */
  readonly sharesAddress?: true;
  /** Resolves soon after `field.over`. */
  run(field: Field): Promise<Outcome>;
}

/** How long an attack lasts unless told otherwise. */
export const USUAL_SECONDS = 8;

/** Counts, and what went wrong, of one attack. */
export class Tally {
  /** Of the usual time, what this attack has of it, at most 1. */
  readonly part: number;
  readonly #counts = new Map<string, number>();
  readonly #stolen = new Set<string>();
  readonly #problems = new Set<string>();

  constructor({ seconds }: Pick<Field, 'seconds'>) {
    this.part = Math.min(1, seconds / USUAL_SECONDS);
  }

  add(what: string, times = 1): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + times);
  }

  /** The most there ever were at once. */
  most(what: string, count: number): void {
    this.#counts.set(what, Math.max(this.#counts.get(what) ?? 0, count));
  }

  stole(what: string): void {
    this.#stolen.add(what);
  }

  problem(what: string): void {
    this.#problems.add(what);
  }

  /** Something that must have happened, or the attack was none. @param usually at least so often in the usual time; of a shorter one its part, but once */
  expect(what: string, usually = 1): void {
    const count = this.#counts.get(what) ?? 0;
    const atLeast = Math.max(1, Math.floor(usually * this.part));
    if (count < atLeast) this.problem(`${what}: ${count}, expected at least ${atLeast}`);
  }

  get outcome(): Outcome {
    return {
      counts: Object.fromEntries(this.#counts),
      stolen: [...this.#stolen],
      problems: [...this.#problems],
    };
  }
}

/** The nth address of the attackers, none of which an honest client uses. */
export function addressOf(at: number): string {
  return `127.66.${Math.floor(at / 250)}.${1 + (at % 250)}`;
}

/** Every so often until it is over; then the last turn is waited for. */
export function repeat(over: AbortSignal, everyMs: number, turn: () => Promise<void> | void): Promise<void> {
  return new Promise((resolve, reject) => {
    const next = async () => {
      if (over.aborted) return resolve();
      const since = performance.now();
      try {
        await turn();
      } catch (error) {
        return reject(error);
      }
      setTimeout(next, Math.max(0, everyMs - (performance.now() - since)));
    };
    void next();
  });
}

export function whenOver(over: AbortSignal): Promise<void> {
  if (over.aborted) return Promise.resolve();
  return new Promise((resolve) => over.addEventListener('abort', () => resolve(), { once: true }));
}
