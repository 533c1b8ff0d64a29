import type { Command, CommandType, Settled } from '@berth/server/domain/commands';
import type { State } from '@berth/server/domain/state';
import { Engine, type EngineOptions } from '@berth/server/engine/engine';
import { recover } from '@berth/server/engine/recover';
import type { FileSystem } from '@berth/server/store/files';
import { emptyMemoryDisk, MemoryStore } from '@berth/server/store/memory-store';

/** Opens a folder that no server runs on, has one command decided, and closes it, as `berthd init` and `berthd restore` do. */
export async function decideOffline<T extends CommandType>(
  files: FileSystem,
  folder: string,
  parts: Pick<EngineOptions, 'clock' | 'newId' | 'leaseSeconds' | 'onFatal'>,
  command: (seq: number) => Command<T>,
): Promise<{ readonly settled: Settled<T>; readonly state: State }> {
  const store = await MemoryStore.open(emptyMemoryDisk());
  const nothing = (): void => {};
  const { monoMs } = parts.clock.now();
  const { state, journal } = await recover({
    files,
    folder,
    store,
    monoMs,
    onCut: nothing,
    onRebuilt: nothing,
  });
  const engine = new Engine({ ...parts, state, journal, diskLow: () => false, onCommitted: nothing });
  const settled = await engine.submit(command(journal.position.seq));
  await journal.close();
  return { settled, state };
}
