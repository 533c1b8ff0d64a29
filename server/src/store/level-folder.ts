import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Level } from 'level';
import { errnoOf } from './errno.js';
import { StateOpenError } from './state-store.js';

export type Database = Level<string, string>;

/** A database, and why it was made anew, or null. */
export interface Opened {
  readonly database: Database;
  readonly reason: string | null;
}

/** What was only looked at may be impossible to open. */
export type Looked = Opened | { readonly database: null; readonly reason: string };

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

/**
 * Opens the database in `path`, or a new one in its place when it is too damaged to open: then `reason` says why. Throws StateOpenError
 * when the system is to blame: what a full disk keeps from being read must not be thrown away.
 */
export async function openOrRecreate(path: string): Promise<Opened> {
  const looked = await lookAtRows(path);
  return looked.database === null ? { database: await recreate(path), reason: looked.reason } : looked;
}

/**
 * Makes a new database in `path`; the old one is closed, and gone. Everything is removed but the file LOCK: were it made anew,
 * two processes could each lock one of the two.
 */
export async function recreate(path: string): Promise<Database> {
  try {
    await mkdir(path, { recursive: true });
    for (const name of await readdir(path)) {
      if (name !== 'LOCK') await rm(join(path, name), { recursive: true, force: true });
    }
    return await openDatabase(path);
  } catch (error) {
    throw isLocked(error) ? error : new StateOpenError(path, reasonOf(error), error);
  }
}

/**
 * Opens the rows. A damaged table can make LevelDB abort the whole process, when it opens or at a later compaction (measured:
 * 5 of 300 flipped bits do), and would do so at every start. So starts are counted until a clean stop, and after two that
 * did not get there the database is made anew, unread. Call it with the lock held.
 */
export async function openRows(path: string, startsFile: string): Promise<Opened> {
  const unclean = await readCount(startsFile);
  if (unclean < MAX_UNCLEAN_STARTS) {
    await writeCount(startsFile, unclean + 1);
    try {
      return await openOrRecreate(path);
    } catch (error) {
      // LevelDB ended nothing: a supervisor that starts it again and again on a full disk must not wear the rows out.
      await writeCount(startsFile, unclean).catch(() => {});
      throw error;
    }
  }
  const database = await recreate(path);
  await writeCount(startsFile, 1);
  return {
    database,
    reason: `the last ${unclean} runs did not end with a clean stop, perhaps because of it`,
  };
}

/** Opens a database to look at it: what is too damaged for that is left as it is. Throws StateOpenError when the system is to blame. */
export async function lookAtRows(path: string): Promise<Looked> {
  try {
    return { database: await openDatabase(path), reason: null };
  } catch (error) {
    if (isLocked(error)) throw error;
    if (isOfTheSystem(error)) throw new StateOpenError(path, reasonOf(error), error);
    return { database: null, reason: `it cannot be opened (${reasonOf(error)})` };
  }
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
  const said = ofLevelDb(error);
  return said instanceof Error ? said.message : String(said);
}

/**
 * LevelDB met an error of the system that says nothing about what is in its files. One that is not there, or is no file, is damage: a flipped
 * bit in CURRENT names it.
 */
export function isOfTheSystem(error: unknown): boolean {
  const said = ofLevelDb(error);
  if (!(said instanceof Error)) return false;
  if ('syscall' in said) return true;
  return (
    causeCode(said) === 'LEVEL_IO_ERROR' &&
    !/: (No such file|Not a directory|Is a directory)/.test(said.message)
  );
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
    throw new StateOpenError(path, reasonOf(error), error);
  }
}

async function writeCount(path: string, count: number): Promise<void> {
  try {
    await writeFile(path, String(count));
  } catch (error) {
    throw new StateOpenError(path, reasonOf(error), error);
  }
}

function ofLevelDb(error: unknown): unknown {
  return error instanceof Error && error.cause instanceof Error ? error.cause : error;
}

function causeCode(error: unknown): unknown {
  const said = ofLevelDb(error);
  return said instanceof Error && 'code' in said ? said.code : undefined;
}
