import { clientFaults } from './client-faults.js';
import { beyondPromises, clockFaults } from './clock-faults.js';
import { serverFaults } from './server-faults.js';
import type { Dice } from './sim-random.js';
import type { Computer, Site } from './site.js';

export interface FaultTargets {
  readonly site: Site;
  readonly computers: readonly Computer[];
  /** Starts a new process of a plugin on the computer. */
  restart(computer: Computer): void;
}

/** @returns `false` when there was nothing to do it to: it does not count. */
export type Fault = (targets: FaultTargets, dice: Dice) => unknown;

/** Everything that is done to a site, by name; the count of each is part of the report. */
const faults = { ...serverFaults, ...clientFaults, ...clockFaults } satisfies Record<string, Fault>;

/** What the network does to single frames by itself, and that every clock drifts: counted like the others. */
export type FaultName =
  | keyof typeof faults
  | 'frameDelayed'
  | 'frameDropped'
  | 'frameDuplicated'
  | 'frameReordered'
  | 'clockDrifts'
  | 'waiterCut'
  | 'spaceReturned'
  | 'serverRestarted'
  | 'serverRestored';
export type BeyondName = keyof typeof beyondPromises;

export interface FaultCounts {
  readonly faults: Partial<Record<FaultName, number>>;
  /** What I3 and I5 promise nothing about. */
  readonly beyond: Partial<Record<BeyondName, number>>;
}

export interface FaultPlan {
  /** Between two faults, ms. */
  readonly everyMs: number;
  /** Whether what no invariant promises happens as well. */
  readonly beyond: boolean;
}

/** Throws faults until `isOver`. @returns how many of each, counting on. */
export function throwFaults(
  targets: FaultTargets,
  dice: Dice,
  plan: FaultPlan,
  isOver: () => boolean,
): FaultCounts {
  const counts: FaultCounts = { faults: {}, beyond: {} };
  const names = Object.keys(faults) as (keyof typeof faults)[];
  const beyond = Object.keys(beyondPromises) as BeyondName[];
  const next = (): void =>
    targets.site.later(dice.about(plan.everyMs), () => {
      if (isOver()) return;
      if (plan.beyond && dice.chance(0.1))
        throwOne(targets, dice, dice.pick(beyond), beyondPromises, counts.beyond);
      else throwOne(targets, dice, dice.pick(names), faults, counts.faults);
      next();
    });
  next();
  return counts;
}

function throwOne<N extends string>(
  targets: FaultTargets,
  dice: Dice,
  name: N,
  table: Readonly<Record<N, Fault>>,
  counts: Partial<Record<N, number>>,
): void {
  if (table[name](targets, dice) === false) return;
  targets.site.tellFault(name);
  counts[name] = (counts[name] ?? 0) + 1;
}
