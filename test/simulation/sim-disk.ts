import type { FileSystem, OpenFile } from '@berth/server/store/files';
import type { FaultyFiles } from '../store/faulty-files.js';
import type { Dice } from './sim-random.js';
import type { Owner, SimTime } from './sim-time.js';

/** Where a process of the server dies: in front of one of its file operations, or so many promises after it. */
export interface Doom {
  /** File operations until then, reads too; the process dies at the first one after none are left. */
  operations: number;
  /** Promises that may still settle after that operation. */
  readonly promises: number;
}

/** Ends `die` after that many promises have settled: between any two awaits of whatever runs now. */
export function dieAfterPromises(promises: number, die: () => void): void {
  if (promises <= 0) die();
  else void Promise.resolve().then(() => dieAfterPromises(promises - 1, die));
}

export interface DiskUser {
  readonly time: SimTime;
  readonly owner: Owner;
  readonly dice: Dice;
  /** What is to befall the process, and how. */
  doom(): Doom | null;
  die(): void;
}

/** A disk whose syncs take time, as one process sees it: whatever is under way when the process dies never comes back to it. */
export function slowFiles(files: FaultyFiles, user: DiskUser): FileSystem {
  const { time, owner, dice } = user;
  const pause = (): Promise<void> => time.sleep(0.1 + dice.about(dice.chance(0.02) ? 50 : 1), owner);
  const step = <T>(work: () => Promise<T>): Promise<T> => {
    const doom = user.doom();
    if (doom !== null && --doom.operations < 0) dieAfterPromises(doom.promises, () => user.die());
    return owner.dead ? never() : work();
  };
  const slow = (file: OpenFile): OpenFile => ({
    write: (bytes, position) => step(() => file.write(bytes, position)),
    read: (position, length) => step(() => file.read(position, length)),
    truncate: (size) => step(() => file.truncate(size)),
    datasync: async () => {
      await pause();
      await step(() => file.datasync());
    },
    sync: async () => {
      await pause();
      await step(() => file.sync());
    },
    size: () => file.size(),
    close: () => file.close(),
  });
  return {
    open: (path, mode) => step(async () => slow(await files.open(path, mode))),
    list: (folder) => step(() => files.list(folder)),
    makeFolder: (folder) => step(() => files.makeFolder(folder)),
    remove: (path) => step(() => files.remove(path)),
    rename: (from, to) => step(() => files.rename(from, to)),
    syncFolder: (folder) => step(() => files.syncFolder(folder)),
    freeBytes: () => files.freeBytes(),
  };
}

function never(): Promise<never> {
  return new Promise(() => {});
}
