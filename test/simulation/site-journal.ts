import { type Export, readExport } from '../auditor/exports.js';
import { type JournalRead, readJournalFiles } from '../auditor/journal-reader.js';
import type { FaultyFiles } from '../store/faulty-files.js';
import type { AdminFiles } from './admin-files.js';
import type { SimHead } from './sim-head.js';

const FOLDER = '/data/journal';

interface Folders {
  readonly server: { readonly disk: FaultyFiles; readonly head: Pick<SimHead, 'bytes'> };
  readonly adminFiles: AdminFiles;
}

/** All that was ever acknowledged: what lies on the server's disk, and of what went from it the files that admins have. */
export function journalOf({ server, adminFiles }: Folders): {
  readonly journal: JournalRead;
  readonly exports: readonly Export[];
} {
  const { disk, head } = server;
  const exports = adminFiles.exports.map(({ name, text }) => readExport(name, text));
  const read = (name: string): Buffer => (name === 'head' ? head.bytes : disk.get(`${FOLDER}/${name}`));
  return {
    journal: readJournalFiles(disk.names(FOLDER), read, exports),
    exports,
  };
}
