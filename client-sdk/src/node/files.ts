import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readdir, readFile, rename, rm, unlink } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { BerthError, describe } from '../errors.js';
import type { Files } from '../host.js';

/** Where contexts (`config`) and keys and borrows (`state`) live. */
export interface Roots {
  readonly config: string;
  readonly state: string;
}

/**
 * The folders of this user: `home` or BERTH_HOME with everything below it, else `$XDG_CONFIG_HOME/berth` and
 * `$XDG_STATE_HOME/berth`, else `~/.config/berth` and `~/.local/state/berth`.
 */
export function rootsOf(home: string | undefined, env: NodeJS.ProcessEnv): Roots {
  const own = home ?? nonEmpty(env.BERTH_HOME);
  if (own !== undefined) return { config: join(own, 'config'), state: join(own, 'state') };
  return {
    config: join(nonEmpty(env.XDG_CONFIG_HOME) ?? join(homedir(), '.config'), 'berth'),
    state: join(nonEmpty(env.XDG_STATE_HOME) ?? join(homedir(), '.local', 'state'), 'berth'),
  };
}

/** Files of 0600 in folders of 0700, replaced as a whole: temporary file, fsync, rename, fsync of the folder. */
export class NodeFiles implements Files {
  readonly #roots: Roots;

  constructor(roots: Roots) {
    this.#roots = roots;
  }

  async read(path: string): Promise<string | null> {
    try {
      return await readFile(this.locate(path), 'utf8');
    } catch (error) {
      if (isAbsent(error)) return null;
      throw this.#unreadable(path, error);
    }
  }

  async write(path: string, text: string, outlives: 'power' | 'process' = 'power'): Promise<void> {
    const target = this.locate(path);
    const temporary = temporaryOf(target);
    const durable = outlives === 'power';
    try {
      await mkdir(dirname(target), { recursive: true, mode: 0o700 });
      await writeNew(temporary, text, durable);
      await rename(temporary, target);
      if (durable) await syncFolder(dirname(target));
    } catch (error) {
      await unlink(temporary).catch(() => undefined);
      throw this.#unwritable(path, error);
    }
  }

  async create(path: string, text: string): Promise<boolean> {
    const target = this.locate(path);
    const temporary = temporaryOf(target);
    try {
      await mkdir(dirname(target), { recursive: true, mode: 0o700 });
      await writeNew(temporary, text);
      // Whole from the first moment: who reads half a mark takes it for damaged, and what it marks for free.
      await link(temporary, target).catch(async (error: unknown) => {
        if (codeOf(error) === 'EEXIST') throw error;
        // A file system without links, such as FAT.
        await writeNew(target, text);
      });
      return true;
    } catch (error) {
      if (codeOf(error) === 'EEXIST') return false;
      throw this.#unwritable(path, error);
    } finally {
      await unlink(temporary).catch(() => undefined);
    }
  }

  async remove(path: string): Promise<void> {
    const target = this.locate(path);
    try {
      await rm(target, { recursive: true, force: true });
      await syncFolder(dirname(target));
    } catch (error) {
      if (!isAbsent(error)) throw this.#unwritable(path, error);
    }
  }

  async list(folder: string): Promise<string[]> {
    try {
      return (await readdir(this.locate(folder))).filter((name) => !name.endsWith('.tmp')).sort();
    } catch (error) {
      if (isAbsent(error)) return [];
      throw this.#unreadable(folder, error);
    }
  }

  locate(path: string): string {
    const [root, ...rest] = path.split('/');
    if (root !== 'config' && root !== 'state') throw new Error(`no such root: ${path}`);
    return join(this.#roots[root], ...rest);
  }

  #unreadable(path: string, error: unknown): BerthError {
    const message = `${this.locate(path)} cannot be read: ${describe(error)}.`;
    return new BerthError('FILE_UNREADABLE', { message, cause: error });
  }

  #unwritable(path: string, error: unknown): BerthError {
    const message = `${this.locate(path)} cannot be written: ${describe(error)}.`;
    return new BerthError('FOLDER_UNWRITABLE', { message, cause: error });
  }
}

/** A name that no list shows. */
function temporaryOf(target: string): string {
  return `${target}.${randomBytes(6).toString('hex')}.tmp`;
}

async function writeNew(path: string, text: string, durable = true): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(text, 'utf8');
    if (durable) await file.sync();
  } finally {
    await file.close();
  }
}

/** A rename or removal is on disk only when its folder is. Windows has no such thing and needs none. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === undefined || text === '' ? undefined : text;
}

function isAbsent(error: unknown): boolean {
  return codeOf(error) === 'ENOENT';
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
