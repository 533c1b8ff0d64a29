import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Level } from 'level';
import { errnoOf } from './errno.js';

export type Database = Level<string, string>;

/** A database, and why it was made anew, or null. */
export interface Opened {
  readonly database: Database;
  readonly reason: string | null;
}

/** One kill or power cut is usual and must not cost a rebuild. */
const MAX_UNCLEAN_STARTS = 2;

/** Another process uses the data folder; two servers on one folder would issue the same seats twice (I1). */
export class FolderLocked extends Error {
  override readonly name = 'FolderLocked';
  readonly code = 'FOLDER_IN_USE';
  readonly folder: string;

  constructor(folder: string, cause: unknown) {
    super(
      `The data folder ${folder} is in use by another process. Two servers on one folder would hand out the same seats ` +
        'twice. Stop the other one, or start this one with another data folder.',
      { cause },
    );
    this.folder = folder;
  }
}

/** Opens the database in `path`, or a new one in its place when it is too damaged to open: then `reason` says why. */
export async function openOrRecreate(path: string): Promise<Opened> {
  try {
    return { database: await openDatabase(path), reason: null };
  } catch (error) {
    if (isLocked(error)) throw error;
    return { database: await recreate(path), reason: `it cannot be opened (${reasonOf(error)})` };
  }
}

/**
 * Makes a new database in `path`; the old one is closed, and gone. Everything is removed but the file LOCK: were it made anew,
 * two processes could each lock one of the two.
 */
export async function recreate(path: string): Promise<Database> {
  await mkdir(path, { recursive: true });
  for (const name of await readdir(path)) {
    if (name !== 'LOCK') await rm(join(path, name), { recursive: true, force: true });
  }
  return openDatabase(path);
}

/**
 * Opens the rows. A damaged table can make LevelDB abort the whole process, when it opens or at a later compaction (measured:
 * 5 of 300 flipped bits do), and would do so at every start. So starts are counted until a clean stop, and after two that
 * did not get there the database is made anew, unread. Call it with the lock held.
 */
export async function openRows(path: string, startsFile: string): Promise<Opened> {
  const unclean = await readCount(startsFile);
  if (unclean < MAX_UNCLEAN_STARTS) {
    await writeFile(startsFile, String(unclean + 1));
    return openOrRecreate(path);
  }
  const database = await recreate(path);
  await writeFile(startsFile, '1');
  return {
    database,
    reason: `the last ${unclean} runs did not end with a clean stop, perhaps because of it`,
  };
}

/** After a clean stop. */
export async function forgetStarts(startsFile: string): Promise<void> {
  await rm(startsFile, { force: true });
}

export function isLocked(error: unknown): boolean {
  return causeCode(error) === 'LEVEL_LOCKED';
}

/** LevelDB's own words: abstract-level hides them in the cause. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}

async function openDatabase(path: string): Promise<Database> {
  const database = new Level<string, string>(path);
  await database.open();
  return database;
}

async function readCount(path: string): Promise<number> {
  try {
    return Number.parseInt(await readFile(path, 'utf8'), 10) || 0;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return 0;
    throw error;
  }
}

function causeCode(error: unknown): unknown {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && 'code' in cause ? cause.code : undefined;
}
