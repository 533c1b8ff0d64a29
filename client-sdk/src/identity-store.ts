import { type ErrorCode, formatSecretKey, parseSecretKey } from '@berth/protocol';
import { type Context, contextShape, isContextName } from './context.js';
import { asBerthError, BerthError } from './errors.js';
import type { Files } from './host.js';
import { parseJson } from './shape.js';

export type KeyScope = 'lease' | 'admin';

/** A context whose file cannot be read. `message` names the file. */
export interface DamagedContext {
  readonly name: string;
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string;
}

/**
 * The joined contexts of this user: `config/contexts/<name>.json` and `config/current`, and their keys in
 * `state/<name>/{lease,admin}.key`. A plugin only ever reads the lease key (DESIGN 4).
 */
export class IdentityStore {
  readonly #files: Files;

  constructor(files: Files) {
    this.#files = files;
  }

  /** Every context, by name. @throws BerthError FILE_UNREADABLE */
  async list(): Promise<Context[]> {
    const names = await this.#names();
    return Promise.all(names.map((name) => this.read(name)));
  }

  /** Every context that can be read, by name, and those whose file is damaged: one of them must not hide the others. */
  async listReadable(): Promise<{ contexts: Context[]; damaged: DamagedContext[] }> {
    const contexts: Context[] = [];
    const damaged: DamagedContext[] = [];
    for (const name of await this.#names()) {
      try {
        contexts.push(await this.read(name));
      } catch (thrown) {
        const { code, message, hint } = asBerthError(thrown);
        damaged.push({ name, code, message, hint });
      }
    }
    return { contexts, damaged };
  }

  /** Name of the current context, or `null`. */
  async current(): Promise<string | null> {
    const name = (await this.#files.read('config/current'))?.trim() ?? '';
    return isContextName(name) ? name : null;
  }

  /** Makes a context current. @throws BerthError NOT_JOINED when there is no such context */
  async use(name: string): Promise<void> {
    await this.read(name);
    await this.#files.write('config/current', `${name}\n`);
  }

  /** The named context, or the current one. @throws BerthError NOT_JOINED, FILE_UNREADABLE */
  async read(name?: string): Promise<Context> {
    const wanted = name ?? (await this.current());
    if (wanted === null) throw new BerthError('NOT_JOINED');
    const json = isContextName(wanted) ? await this.#files.read(contextPath(wanted)) : null;
    if (json === null) throw unknownContext(wanted);
    const context = parseJson(json, contextShape);
    if (context !== undefined) return { ...context, name: wanted };
    throw new BerthError('FILE_UNREADABLE', {
      message: `The context "${wanted}" cannot be read: ${this.#files.locate(contextPath(wanted))} is damaged.`,
      hint: 'Remove the file and join the server again.',
    });
  }

  /** @throws BerthError USAGE when the name cannot be a file's, FOLDER_UNWRITABLE */
  async save(context: Context): Promise<void> {
    if (!isContextName(context.name)) throw invalidName(context.name);
    await this.#files.write(contextPath(context.name), `${JSON.stringify(context, null, 2)}\n`);
  }

  /**
   * Forgets a context with its keys.
   * @throws BerthError NOT_JOINED when there is none, BORROWED while it has borrows: without the key they cannot be returned
   */
  async remove(name: string): Promise<void> {
    if (!(await this.has(name))) throw unknownContext(name);
    if ((await this.#files.list(`state/${name}/borrows`)).length > 0) {
      throw new BerthError('BORROWED', {
        message: `The context "${name}" has borrowed seats; without its key they could not be returned.`,
        hint: 'Return them first: `berth borrow return`.',
      });
    }
    if ((await this.current()) === name) await this.#files.remove('config/current');
    await this.#files.remove(contextPath(name));
    await this.#files.remove(`state/${name}`);
  }

  /** Whether there is a context of that name. */
  async has(name: string): Promise<boolean> {
    return isContextName(name) && (await this.#files.read(contextPath(name))) !== null;
  }

  /** The 32-byte seed of a key; `null` when there is none. @throws BerthError FILE_UNREADABLE */
  async readKey(name: string, scope: KeyScope): Promise<Uint8Array | null> {
    const path = keyPath(name, scope);
    const secret = await this.#files.read(path);
    if (secret === null) return null;
    const seed = parseSecretKey(secret);
    if (seed !== null) return seed;
    throw new BerthError('FILE_UNREADABLE', {
      message: `${this.#files.locate(path)} holds no key.`,
      hint: 'Join the server again with a new link.',
    });
  }

  /** Keeps the 32-byte seed of a key. @throws BerthError FOLDER_UNWRITABLE */
  async saveKey(name: string, scope: KeyScope, seed: Uint8Array): Promise<void> {
    await this.#files.write(keyPath(name, scope), `${formatSecretKey(seed)}\n`);
  }

  /** Forgets a key; none there is fine. @throws BerthError FOLDER_UNWRITABLE */
  async removeKey(name: string, scope: KeyScope): Promise<void> {
    await this.#files.remove(keyPath(name, scope));
  }

  async #names(): Promise<string[]> {
    const files = await this.#files.list('config/contexts');
    return files
      .filter((file) => file.endsWith('.json'))
      .map((file) => file.slice(0, -5))
      .filter(isContextName);
  }
}

export function invalidName(name: string): BerthError {
  return new BerthError('USAGE', {
    message: `"${name}" cannot be the name of a context.`,
    hint: 'Use up to 64 letters, digits, dots, dashes and underscores, and begin with a letter or digit.',
  });
}

function unknownContext(name: string): BerthError {
  return new BerthError('CONTEXT_UNKNOWN', {
    message: `There is no context "${name}".`,
    hint: 'See `berth context list`, or join a server: `berth join LINK`.',
  });
}

function contextPath(name: string): string {
  return `config/contexts/${name}.json`;
}

function keyPath(name: string, scope: KeyScope): string {
  return `state/${name}/${scope}.key`;
}
