import type { Command, CommandType, Settled } from '@berth/server/domain/commands';
import type { State } from '@berth/server/domain/state';
import { Engine, type EngineOptions } from '@berth/server/engine/engine';
import { recover } from '@berth/server/engine/recover';
import type { FileSystem } from '@berth/server/store/files';
import { createHead } from '@berth/server/store/head';
import { emptyMemoryDisk, MemoryStore } from '@berth/server/store/memory-store';
import type { FaultyFiles } from '../store/faulty-files.js';
import type { SimBackup } from './office-backup.js';

/** Puts the journal of a backup in the place of the one that was there, as `berthd restore` does (restore.ts). */
export async function unpack(
  disk: FaultyFiles,
  folder: string,
  { files, position }: Pick<SimBackup, 'files' | 'position'>,
): Promise<void> {
  const journal = `${folder}/journal`;
  for (const old of [journal, `${folder}/audit`])
    for (const name of disk.names(old)) disk.delete(`${old}/${name}`);
  for (const [name, bytes] of files) disk.put(`${journal}/${name}`, bytes);
  await createHead(disk, journal, `${journal}/head`, position);
}

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
