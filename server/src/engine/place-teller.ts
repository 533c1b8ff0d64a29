import { type LeaseClaims, limits } from '@berth/protocol';
import { Turnover } from './turnover.js';
import type { NextFree, Standing, Waiter } from './waiting-line.js';

/** Where a checkout stands in line, and how long that may take. */
export interface Place {
  /** 1: next in line for a product it waits for. */
  readonly position: number;
  /** Until it is served, ms, by how fast seats came to those who waited lately; `null` when too few did. */
  readonly estimateMs: number | null;
  /** The latest moment at which the next seat is free if nobody renews, ms since 1970; `null` when nobody can tell. */
  readonly nextFreeAtMs: number | null;
}

interface Told extends Place {
  readonly atMs: number;
}

/** So many are told at one look, those in front first: a line of thousands is told over several ticks, not in one long one. */
const TOLD_AT_ONCE = 200;

/** An estimate is told again when it has changed by more than this part. */
const WORTH_TELLING = 0.25;

/** Knows who was told what: each client hears of its place at once, and of changes no more often than is of use. */
export class PlaceTeller {
  readonly waiting = new Map<string, number>();
  readonly #turnovers = new Map<string, Turnover>();
  readonly #told = new Map<string, Told>();
  #lookAtMs = Number.POSITIVE_INFINITY;

  entered(standing: Standing): void {
    for (const product of standing.products) this.waiting.set(product, (this.waiting.get(product) ?? 0) + 1);
    this.#lookAtMs = 0;
  }

  left(standing: Standing): void {
    this.#told.delete(standing.id);
    this.#lookAtMs = 0;
    for (const product of standing.products) {
      const count = (this.waiting.get(product) ?? 0) - 1;
      if (count > 0) this.waiting.set(product, count);
      else {
        this.waiting.delete(product);
        this.#turnovers.get(product)?.rest();
      }
    }
  }

  served(leases: readonly LeaseClaims[], monoMs: number): void {
    for (const product of new Set(leases.map((lease) => lease.product))) {
      const turnover = this.#turnovers.get(product) ?? new Turnover();
      this.#turnovers.set(product, turnover);
      turnover.served(monoMs);
    }
  }

  /** Tells one who has just come. */
  welcome(
    line: readonly Standing[],
    standing: Standing,
    waiter: Waiter,
    monoMs: number,
    nextFreeAtMs: NextFree,
  ): void {
    const before = line.at(-1) === standing ? this.#allBut(standing) : beforeOf(line, standing);
    const place = this.#placeOf(standing, before, monoMs, nextFreeAtMs);
    this.#told.set(standing.id, { ...place, atMs: monoMs });
    waiter.onPlace(place);
  }

  /** Everybody else, when it is the last in line. */
  #allBut(standing: Standing): ReadonlyMap<string, number> {
    return new Map(standing.products.map((product) => [product, (this.waiting.get(product) ?? 1) - 1]));
  }

  tell(line: readonly Standing[], monoMs: number, nextFreeAtMs: NextFree): void {
    if (monoMs < this.#lookAtMs) return;
    this.#lookAtMs = Number.POSITIVE_INFINITY;
    const before = new Map<string, number>();
    const known = new Map<string, number | null>();
    const nextFree: NextFree = (product) => {
      const found = known.get(product);
      if (found !== undefined) return found;
      known.set(product, nextFreeAtMs(product));
      return known.get(product)!;
    };
    let left = TOLD_AT_ONCE;
    for (const standing of line) {
      const told = this.#told.get(standing.id);
      const dueMs = (told?.atMs ?? 0) + limits.queuedEveryMs;
      const position = positionOf(standing, before);
      const estimateMs = this.#estimate(standing, position, before, monoMs);
      if (told === undefined || position !== told.position || differs(estimateMs, told.estimateMs)) {
        if (dueMs > monoMs) this.#lookAtMs = Math.min(this.#lookAtMs, dueMs);
        else if (left === 0) {
          // Those behind can wait for the next look, which passes over whoever was just told.
          this.#lookAtMs = monoMs;
          return;
        } else {
          left -= 1;
          const place = this.#placeOf(standing, before, monoMs, nextFree);
          this.#told.set(standing.id, { ...place, atMs: monoMs });
          for (const waiter of standing.waiters) waiter.onPlace(place);
        }
      }
      step(before, standing);
    }
  }

  #placeOf(
    standing: Standing,
    before: ReadonlyMap<string, number>,
    monoMs: number,
    nextFreeAtMs: NextFree,
  ): Place {
    const position = positionOf(standing, before);
    const moments = standing.products.flatMap((product) => nextFreeAtMs(product) ?? []);
    return {
      position,
      estimateMs: this.#estimate(standing, position, before, monoMs),
      nextFreeAtMs: moments.length === 0 ? null : Math.min(...moments),
    };
  }

  /** By the product that it stands furthest back for. */
  #estimate(
    standing: Standing,
    position: number,
    before: ReadonlyMap<string, number>,
    monoMs: number,
  ): number | null {
    const decisive = standing.products.find((product) => (before.get(product) ?? 0) === position - 1);
    return this.#turnovers.get(decisive ?? '')?.estimateMs(position, monoMs) ?? null;
  }
}

function positionOf(standing: Standing, before: ReadonlyMap<string, number>): number {
  let most = 0;
  for (const product of standing.products) most = Math.max(most, before.get(product) ?? 0);
  return 1 + most;
}

function differs(now: number | null, told: number | null): boolean {
  if (now === null || told === null) return now !== told;
  return Math.abs(now - told) > told * WORTH_TELLING;
}

function step(before: Map<string, number>, standing: Standing): void {
  for (const product of standing.products) before.set(product, (before.get(product) ?? 0) + 1);
}

function beforeOf(line: readonly Standing[], standing: Standing): Map<string, number> {
  const before = new Map<string, number>();
  for (const other of line) {
    if (other === standing) break;
    step(before, other);
  }
  return before;
}
