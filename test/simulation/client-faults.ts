import type { Fault } from './faults.js';
import type { SimClock } from './sim-clock.js';
import type { Line } from './sim-network.js';
import type { Owner } from './sim-time.js';
import type { Computer, Site } from './site.js';

/** What happens to clients and to their connections. */
export const clientFaults = {
  clientKilled({ site, computers, restart }, dice) {
    const computer = dice.pick(computers);
    killProcess(site, computer, dice.chance(0.7));
    site.later(dice.about(dice.chance(0.3) ? site.longMs : 15_000), () => restart(computer));
  },
  clientSuspended({ site, computers }, dice) {
    const { owner, clock } = dice.pick(computers);
    suspend(
      site,
      owner,
      dice.about(dice.chance(0.5) ? site.longMs : 30_000),
      dice.chance(0.5) ? clock : null,
    );
  },
  /** Just when it has asked for a renewal: the answer is there when it goes on, and too late. */
  clientSuspendedInRenewal({ site, computers }, dice) {
    const computer = dice.pick(computers);
    const forMs = site.longMs + dice.about(site.longMs);
    const clock = dice.chance(0.5) ? computer.clock : null;
    computer.onRenewal = (owner) => suspend(site, owner, forMs, clock);
  },
  lineDown({ site, computers }, dice) {
    const forMs = dice.about(dice.chance(0.3) ? site.longMs : 20_000);
    dice.pick(computers).line.downUntilMs = site.time.nowMs + forMs;
  },
  /** Another network: the old connections hear nothing any more. */
  addressChanged({ site, computers }, dice) {
    const { line } = dice.pick(computers);
    line.address = `10.${dice.between(1, 200)}.0.${dice.between(1, 200)}`;
    cutLine(site, line, false);
  },
  connectionCut({ site }, dice) {
    const wires = [...site.network.wires];
    if (wires.length === 0) return false;
    const wire = dice.pick(wires);
    wire.clientDied(dice.chance(0.5));
    wire.tellClient();
    return true;
  },
  /** Neither end is told, and nothing arrives any more (a firewall that has forgotten the connection). */
  halfOpen({ site }, dice) {
    const wires = [...site.network.wires];
    if (wires.length === 0) return false;
    dice.pick(wires).isDark = true;
    return true;
  },
} satisfies Record<string, Fault>;

/** @param clock stands still too; `null`: only the process does */
function suspend(site: Site, owner: Owner, forMs: number, clock: SimClock | null): void {
  owner.frozenUntilMs = site.time.nowMs + forMs;
  if (clock === null) return;
  clock.suspend();
  site.later(forMs, () => clock.resume());
}

/** All connections of a computer. */
export function cutLine(site: Site, line: Line, tellServer: boolean): void {
  for (const wire of site.network.wires) {
    if (wire.line !== line) continue;
    wire.clientDied(tellServer);
    wire.tellClient();
  }
}

export function killProcess(site: Site, { owner, line }: Computer, tellServer: boolean): void {
  owner.dead = true;
  for (const wire of site.network.wires) if (wire.line === line) wire.clientDied(tellServer);
}
