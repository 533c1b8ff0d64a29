import { SERVER } from './beyond-promise.js';
import type { Fault, FaultTargets } from './faults.js';
import type { Dice } from './sim-random.js';
import type { Computer } from './site.js';

const HOUR_MS = 3_600_000;

/** What clocks do and I2, I3 and I5 promise to bear. */
export const clockFaults = {
  /** While it runs: it frees no borrow (I5). Somebody sets it right later. */
  serverClockAhead(targets, dice) {
    return disturb(targets, dice, dice.between(1_000, dice.chance(0.5) ? 5 * 60_000 : 6 * HOUR_MS));
  },
  /** While it runs. Behind its high-water mark by more than 5 minutes the server grants nothing (I5). */
  serverClockBack(targets, dice) {
    return disturb(targets, dice, -dice.between(1_000, dice.chance(0.5) ? 5 * 60_000 : 2 * HOUR_MS));
  },
  /** Both clocks stand, the process goes on. */
  serverClockFreezes({ site }, dice) {
    site.serverClock.freeze();
    site.later(dice.about(20_000), () => site.serverClock.thaw());
  },
  clientClockAhead({ computers }, dice) {
    dice.pick(computers).clock.jump(dice.between(1, dice.chance(0.9) ? 60_000 : HOUR_MS));
  },
  /** Of a computer without a borrow: an online lease counts by whatever clock says most (I2). */
  clientClockBack({ computers }, dice) {
    const computer = dice.pick(computers);
    if (hasBorrow(computer)) return false;
    computer.clock.jump(-dice.between(1, 5 * 60_000));
    return true;
  },
  /** Its wall clock only. */
  clientClockFreezes({ site, computers }, dice) {
    const { clock } = dice.pick(computers);
    clock.freezeWall();
    site.later(dice.about(20_000), () => clock.thaw());
  },
} satisfies Record<string, Fault>;

/** What is not promised (I3): counted apart, and so is what it leads to. */
export const beyondPromises = {
  clientClockBackDuringBorrow({ site, computers }, dice) {
    const borrowers = computers.filter(hasBorrow);
    if (borrowers.length === 0) return false;
    const { name, clock } = dice.pick(borrowers);
    site.beyondPromise.add(name);
    clock.jump(-dice.between(60_000, HOUR_MS));
    return true;
  },
  serverClockSetWhileStopped({ site }, dice) {
    site.beyondPromise.add(SERVER);
    site.server.crash('ALL', true);
    const ms = dice.between(60_000, 2 * HOUR_MS);
    site.serverClock.jump(dice.chance(0.5) ? ms : -ms);
    site.later(untilRight(dice), () => site.serverClock.setRight());
  },
} satisfies Record<string, Fault>;

function disturb({ site }: FaultTargets, dice: Dice, ms: number): boolean {
  // At a start the server believes its clock: one that is wrong then was set while it was stopped.
  if (!site.server.isUp || site.time.nowMs < site.vouchedUntilMs) return false;
  site.serverClock.jump(ms);
  site.server.onDying = () => site.serverClock.setRight();
  site.later(untilRight(dice), () => site.serverClock.setRight());
  return true;
}

/** Somebody sees that the clock is wrong: an entitlement ends that much later than its day, and what is owned is judged by that (SERVER_SLOW_MS of the auditor). */
function untilRight(dice: Dice): number {
  return Math.min(dice.about(10 * 60_000), 30 * 60_000);
}

/** One is kept here, or asked for. */
function hasBorrow({ files }: Computer): boolean {
  return [...files.contents.keys()].some((path) => /borrows|pending|requests/.test(path));
}
