import { type Recovered, recover } from './engine/recover.js';
import type { Clock } from './ops/clock.js';
import { componentLog } from './ops/log.js';
import type { ServerOptions } from './server.js';
import { StartError } from './start-error.js';
import type { FileSystem } from './store/files.js';
import { KNOWN_RECORDS } from './store/known-hashes.js';
import type { StateStore } from './store/state-store.js';

/** The state of a folder that is to be served, and its journal. Throws StartError, JournalCorrupt, FormatNewer, NotOneHistory. */
export async function recoverState(
  options: Pick<ServerOptions, 'folder' | 'config' | 'log' | 'reread'>,
  store: StateStore,
  clock: Clock,
  files: FileSystem,
): Promise<Recovered> {
  const log = componentLog(options.log, 'store');
  const recovered = await recover({
    files,
    folder: options.folder.path,
    store,
    segmentBytes: options.config.journalSegmentMib * 1024 * 1024,
    monoMs: clock.now().monoMs,
    reread: options.reread ?? KNOWN_RECORDS,
    onCut: (cut) => log.warn({ cut }, 'an unacknowledged write at the end of the journal was cut'),
    onRebuilt: (reason) =>
      log.warn({ reason }, 'the stored state was not usable and was rebuilt from the journal'),
  });
  if (recovered.state.tables.organisation.size === 0) {
    throw new StartError(
      'FOLDER_DAMAGED',
      'The journal has no organisation in it.',
      'Run berthd init in a new folder, or restore a backup.',
    );
  }
  return recovered;
}
