import type { Dice } from './sim-random.js';
import type { Computer, Site } from './site.js';

/** Between two faults, ms. */
const EVERY_MS = 3 * 60_000;
/** W of a lease of 120 s, and a bit: what comes back later than this finds its seat gone. */
const LONG_MS = 150_000;

export interface FaultTargets {
  readonly site: Site;
  readonly computers: readonly Computer[];
  /** Starts a new process of a plugin on the computer. */
  restart(computer: Computer): void;
}

type Fault = (targets: FaultTargets, dice: Dice) => void;

/** Everything that goes wrong, by name; the count of each is part of the report. */
const faults = {
  serverKilled({ site }) {
    site.server.crash('ALL', true);
  },
  powerCut({ site }, dice) {
    site.server.crash(dice.below, false);
  },
  stateRots({ site }, dice) {
    site.server.rotState(dice.below);
    site.server.crash('ALL', true);
  },
  /** In the middle of a commit: before, between and after its writes and syncs. */
  killedInCommit({ site }, dice) {
    site.server.dieAtStep(dice.between(1, 8), dice.chance(0.5) ? 'ALL' : dice.below);
  },
  writeFails({ site }, dice) {
    site.server.failAtStep(dice.between(1, 8), dice.pick(['EIO', 'ENOSPC']));
  },
  diskLow({ site }, dice) {
    site.server.diskLow = true;
    site.later(dice.about(60_000), () => {
      site.server.diskLow = false;
    });
  },
  serverStands({ site }, dice) {
    const forMs = dice.about(10_000);
    site.server.owner.frozenUntilMs = site.time.nowMs + forMs;
    if (dice.chance(0.5)) suspendClock(site.serverClock, site, forMs);
  },
  clientKilled({ site, computers, restart }, dice) {
    const computer = dice.pick(computers);
    killProcess(site, computer, dice.chance(0.7));
    site.later(dice.about(dice.chance(0.3) ? LONG_MS : 15_000), () => restart(computer));
  },
  clientSuspended({ site, computers }, dice) {
    const { owner, clock } = dice.pick(computers);
    const forMs = dice.about(dice.chance(0.5) ? LONG_MS : 30_000);
    owner.frozenUntilMs = site.time.nowMs + forMs;
    if (dice.chance(0.5)) suspendClock(clock, site, forMs);
  },
  lineDown({ site, computers }, dice) {
    dice.pick(computers).line.downUntilMs = site.time.nowMs + dice.about(dice.chance(0.3) ? LONG_MS : 20_000);
  },
  /** Another network: the old connections hear nothing any more. */
  addressChanged({ site, computers }, dice) {
    const { line } = dice.pick(computers);
    line.address = `10.${dice.between(1, 200)}.0.${dice.between(1, 200)}`;
    for (const wire of site.network.wires) {
      if (wire.line !== line) continue;
      wire.clientDied(false);
      wire.tellClient();
    }
  },
  connectionCut({ site }, dice) {
    const wires = [...site.network.wires];
    if (wires.length === 0) return;
    const wire = dice.pick(wires);
    wire.clientDied(dice.chance(0.5));
    wire.tellClient();
  },
  clientClockAhead({ computers }, dice) {
    dice.pick(computers).clock.jump(dice.between(1, 60_000));
  },
} satisfies Record<string, Fault>;

export type FaultName = keyof typeof faults;

/** Throws faults until `isOver`. @returns how many of each. */
export function throwFaults(
  targets: FaultTargets,
  dice: Dice,
  isOver: () => boolean,
): Partial<Record<FaultName, number>> {
  const counts: Partial<Record<FaultName, number>> = {};
  const names = Object.keys(faults) as FaultName[];
  const next = (): void =>
    targets.site.later(dice.about(EVERY_MS), () => {
      if (isOver()) return;
      const name = dice.pick(names);
      counts[name] = (counts[name] ?? 0) + 1;
      faults[name](targets, dice);
      next();
    });
  next();
  return counts;
}

export function killProcess(site: Site, { owner, line }: Computer, tellServer: boolean): void {
  owner.dead = true;
  for (const wire of site.network.wires) if (wire.line === line) wire.clientDied(tellServer);
}

function suspendClock(clock: { suspend(): void; resume(): void }, site: Site, forMs: number): void {
  clock.suspend();
  site.later(forMs, () => clock.resume());
}
