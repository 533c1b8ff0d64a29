import { join } from 'node:path';
import type { FileSystem } from './files.js';
import { copyFolder, type FolderCopy, readText, writeWhole } from './folder-copy.js';
import { withCheck } from './marker-check.js';

/**
 * The format of a data folder as a whole, in `berthd.json`. Raised with a step below whenever a server of the format before could not
 * read, or would misread, what this one writes. The records of the journal have a version of their own (records.ts).
 *
 * 1: the first. 2: the journal may hold changes that a server of format 1 does not know (`clock.accepted` and others of that time):
 * it would fail in the middle of its replay, so it is made to refuse; and the folder says which berthd wrote it. 3: `berthd.json` has a
 * checksum, and one that does not match is refused; and the journal may hold what a server of format 2 does not know
 * (`organisation.renamed`, users with login names or with who changed them last), so that one refuses the folder too. Every later format
 * keeps that checksum: a folder is only believed to be newer when it matches. 4: the journal may hold the mails of the outbox (`mail.…`) and bulk jobs
 * (`job.…`). 5: the journal may hold credits (`credit.…`) and
 * restores (`organisation.restored` and what follows from it). 6: the journal may hold who was removed (`former.…`).
 * 7: and sessions that were closed because their key came from elsewhere (`session.superseded`), how long leases last (`window.noted`) and that an
 * import is missing after a restore (`restore.incomplete`).
 * 8: and that older records were exported and removed (`journal.pruned`): it may then begin later than with record 1, and go on from a base (base-format.ts).
 * 9: and which names and address a mail had in it when it was handed over (`told` of `mail.tried`): a server of format 8 would not keep them, and so
 * would hand a mail over again in other words, and find that what is rebuilt differs.
 */
export const FOLDER_FORMAT = 9;

/** One step from a format to the next. Killed at any moment, it leaves the old format or the new one, and may run again. */
export interface Migration {
  readonly from: number;
  readonly to: number;
  /** For the person who asks what would be done. */
  readonly does: string;
  run(files: FileSystem, folder: string, version: string): Promise<void>;
}

/** Each so far says in `berthd.json` which format the folder is of, and changes nothing else. */
export const migrations: readonly Migration[] = [
  step(
    1,
    'berthd.json says format 2 and which berthd wrote it: an older berthd then refuses the folder instead of failing on it',
  ),
  step(2, 'berthd.json gets a checksum, so that a damaged address or name in it is noticed'),
  step(
    3,
    'the journal may hold mails that are to be sent: an older berthd then refuses the folder instead of failing on it',
  ),
  step(
    4,
    'the journal may hold credits that were spent, and restores: an older berthd then refuses the folder instead of failing on it',
  ),
  step(
    5,
    'the journal may hold who was removed: an older berthd then refuses the folder instead of failing on it',
  ),
  step(
    6,
    'the journal may hold how long leases last, and what a restore lacks: an older berthd then refuses the folder instead of failing on it',
  ),
  step(
    7,
    'the journal may begin later, once old records were exported: an older berthd then refuses the folder instead of taking it for damaged',
  ),
  step(
    8,
    'the journal may hold which names and address a mail had in it: an older berthd then refuses the folder instead of sending other words under the same Message-ID',
  ),
];

function step(from: number, does: string): Migration {
  const to = from + 1;
  return { from, to, does, run: (files, folder, version) => rewriteMarker(files, folder, to, version) };
}

async function rewriteMarker(
  files: FileSystem,
  folder: string,
  format: number,
  version: string,
): Promise<void> {
  const path = join(folder, 'berthd.json');
  const marker = JSON.parse((await readText(files, path)) ?? '{}') as Record<string, unknown>;
  const next = { ...marker, format, writtenBy: version };
  await writeWhole(files, path, `${JSON.stringify(format < 3 ? next : withCheck(next), null, 2)}\n`);
}

/** The steps from a format to this one, in order. @throws when there is no way: a bug in the table */
export function stepsFrom(format: number): readonly Migration[] {
  const steps: Migration[] = [];
  for (let at = format; at < FOLDER_FORMAT; ) {
    const step = migrations.find(({ from }) => from === at);
    if (step === undefined) throw new Error(`No migration leads away from format ${at}`);
    steps.push(step);
    at = step.to;
  }
  return steps;
}

/** Copies, and only then migrates. @returns the copy. Throws the disk's own errors; run it again then */
export async function migrateFolder(
  files: FileSystem,
  folder: string,
  format: number,
  version: string,
): Promise<FolderCopy> {
  const copy = await copyFolder(files, folder, `${folder}.format-${format}`);
  for (const step of stepsFrom(format)) await step.run(files, folder, version);
  return copy;
}
