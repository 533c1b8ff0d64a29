import { type Export, readExport } from '../auditor/exports.js';
import { type JournalRead, readJournalFiles } from '../auditor/journal-reader.js';
import type { FaultyFiles } from '../store/faulty-files.js';
import type { AdminFiles } from './admin-files.js';

const FOLDER = '/data/journal';

interface Folders {
  readonly server: { readonly disk: FaultyFiles };
  readonly adminFiles: AdminFiles;
}

/** All that was ever acknowledged: what lies on the server's disk, and of what went from it the files that admins have. */
export function journalOf({ server, adminFiles }: Folders): {
  readonly journal: JournalRead;
  readonly exports: readonly Export[];
} {
  const { disk } = server;
  const exports = adminFiles.exports.map(({ name, text }) => readExport(name, text));
  return {
    journal: readJournalFiles(disk.names(FOLDER), (name) => disk.get(`${FOLDER}/${name}`), exports),
    exports,
  };
}
