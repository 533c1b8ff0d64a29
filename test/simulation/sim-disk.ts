import type { FileSystem, OpenFile } from '@berth/server/store/files';
import type { FaultyFiles } from '../store/faulty-files.js';
import type { Dice } from './sim-random.js';
import type { Owner, SimTime } from './sim-time.js';

/** A disk whose syncs take time, as one process sees it: whatever is under way when the process dies never comes back to it. */
export function slowFiles(files: FaultyFiles, time: SimTime, owner: Owner, dice: Dice): FileSystem {
  const pause = (): Promise<void> => time.sleep(0.1 + dice.about(dice.chance(0.02) ? 50 : 1), owner);
  const slow = (file: OpenFile): OpenFile => ({
    write: (bytes, position) => file.write(bytes, position),
    read: (position, length) => file.read(position, length),
    truncate: (size) => file.truncate(size),
    datasync: async () => {
      await pause();
      await file.datasync();
    },
    sync: async () => {
      await pause();
      await file.sync();
    },
    size: () => file.size(),
    close: () => file.close(),
  });
  return {
    open: async (path, mode) => slow(await files.open(path, mode)),
    list: (folder) => files.list(folder),
    makeFolder: (folder) => files.makeFolder(folder),
    remove: (path) => files.remove(path),
    rename: (from, to) => files.rename(from, to),
    syncFolder: (folder) => files.syncFolder(folder),
    freeBytes: () => files.freeBytes(),
  };
}
