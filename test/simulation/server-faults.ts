import type { Fault } from './faults.js';
import type { Site } from './site.js';

/** File operations of a start, and of a few commits: a process dies at any of them. */
const OPERATIONS = 60;
/** Promises that settle from the arrival of a frame to its answer, and a few more. */
const PROMISES = 60;

/** What happens to the server's process and its disk. */
export const serverFaults = {
  serverKilled({ site }) {
    site.server.crash('ALL', true);
  },
  /** What was not synced is on the disk in part, torn anywhere. */
  powerCut({ site }, dice) {
    site.server.crash(dice.below, false);
  },
  /** Nothing of what was not synced is on the disk. */
  writesLost({ site }) {
    site.server.crash('NONE', false);
  },
  stateRots({ site }, dice) {
    site.server.rotState(dice.below);
    site.server.crash('ALL', true);
  },
  /** A bit of the head flips where it lies: the other half is whole, and the next start mends it, or ends in that. */
  headRots({ site }, dice) {
    if (!site.server.isUp) return false;
    site.server.crash('ALL', true);
    site.server.head.flip(dice.below);
    if (dice.chance(0.5)) site.server.fate.dieAtStep(dice.between(1, 4), dice.below);
    return true;
  },
  /** In the middle of a write or a sync. */
  killedInCommit({ site }, dice) {
    site.server.fate.dieAtStep(dice.between(1, 12), dice.chance(0.5) ? 'ALL' : dice.below);
  },
  /** In front of any file operation, or any number of promises after it. */
  killedAtOperation({ site }, dice) {
    const doom = { operations: dice.below(OPERATIONS), promises: dice.below(PROMISES) };
    site.server.fate.dieAtOperation(doom, dice.chance(0.5) ? 'ALL' : dice.below);
  },
  /** Between any two awaits of what a frame sets off. */
  killedBetweenPromises({ site }, dice) {
    site.server.fate.dieAfterFrame(dice.below(PROMISES), dice.chance(0.5) ? 'ALL' : dice.below);
  },
  /** A start that does not come to its end, wherever it is. */
  killedInStart({ site }, dice) {
    site.server.crash(dice.chance(0.5) ? 'ALL' : dice.below, true);
    const doom = { operations: dice.below(OPERATIONS), promises: dice.below(PROMISES) };
    site.server.fate.dieAtOperation(doom, dice.chance(0.5) ? 'ALL' : dice.below);
  },
  writeFails({ site }, dice) {
    site.server.fate.failAtStep(dice.between(1, 8), 'EIO', 'NONE');
  },
  writeShort({ site }, dice) {
    site.server.fate.failAtStep(dice.between(1, 8), dice.pick(['EIO', 'ENOSPC']), 'HALF');
  },
  /** No file can grow; usually the watch over free space has noticed before. Then there is space again. */
  diskFull({ site }, dice) {
    const { server } = site;
    server.disk.full = true;
    server.diskLow = dice.chance(0.7);
    site.later(dice.about(90_000), () => returnSpace(site));
  },
  diskLow({ site }, dice) {
    site.server.diskLow = true;
    site.later(dice.about(60_000), () => {
      site.server.diskLow = site.server.disk.full;
    });
  },
  serverStands({ site }, dice) {
    const forMs = dice.about(10_000);
    site.server.owner.frozenUntilMs = site.time.nowMs + forMs;
    if (!dice.chance(0.5)) return;
    site.serverClock.suspend();
    site.later(forMs, () => site.serverClock.resume());
  },
} satisfies Record<string, Fault>;

function returnSpace(site: Site): void {
  const { server } = site;
  if (!server.disk.full) return;
  server.disk.full = false;
  server.diskLow = false;
  site.spaceReturned++;
  site.tellFault('spaceReturned');
}
