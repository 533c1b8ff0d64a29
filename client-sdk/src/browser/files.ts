import { BerthError, describe } from '../errors.js';
import type { Files } from '../host.js';

const STORE = 'files';

/** Small texts by path in one IndexedDB of the page's origin: what other pages of that origin may read, and nobody else. */
export class IndexedFiles implements Files {
  readonly #name: string;
  readonly #mayWrite: Promise<void>;
  #database: Promise<IDBDatabase> | null = null;

  constructor(name: string, mayWrite: Promise<void>) {
    this.#name = name;
    this.#mayWrite = mayWrite;
  }

  async read(path: string): Promise<string | null> {
    const value: unknown = await this.#reading(path, (store) => store.get(path));
    return typeof value === 'string' ? value : null;
  }

  write(path: string, text: string): Promise<void> {
    return this.#writing(path, (store) => void store.put(text, path));
  }

  async create(path: string, text: string): Promise<boolean> {
    let isNew = false;
    await this.#writing(path, (store) => {
      const there = store.count(path);
      there.onsuccess = () => {
        isNew = there.result === 0;
        if (isNew) store.put(text, path);
      };
    });
    return isNew;
  }

  remove(path: string): Promise<void> {
    return this.#writing(path, (store) => {
      store.delete(path);
      store.delete(below(path));
    });
  }

  async list(folder: string): Promise<string[]> {
    const keys = await this.#reading(folder, (store) => store.getAllKeys(below(folder)));
    const names = keys.map(
      (key) =>
        String(key)
          .slice(folder.length + 1)
          .split('/')[0] ?? '',
    );
    return [...new Set(names)].sort();
  }

  locate(path: string): string {
    return `${path} in the IndexedDB "${this.#name}" of ${globalThis.location.origin}`;
  }

  async #reading<T>(path: string, ask: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
    try {
      const database = await this.#open();
      return await answered(ask(database.transaction(STORE, 'readonly').objectStore(STORE)));
    } catch (error) {
      const message = `${this.locate(path)} cannot be read: ${describe(error)}.`;
      throw new BerthError('FILE_UNREADABLE', { message, cause: error });
    }
  }

  async #writing(path: string, change: (store: IDBObjectStore) => void): Promise<void> {
    try {
      await this.#mayWrite;
      const database = await this.#open();
      const transaction = database.transaction(STORE, 'readwrite', { durability: 'strict' });
      change(transaction.objectStore(STORE));
      await committed(transaction);
    } catch (error) {
      const message = `${this.locate(path)} cannot be written: ${describe(error)}.`;
      throw new BerthError('FOLDER_UNWRITABLE', { message, cause: error });
    }
  }

  #open(): Promise<IDBDatabase> {
    this.#database ??= openDatabase(this.#name);
    return this.#database;
  }
}

/** Every path inside a folder: `0` is the character after `/`. */
function below(folder: string): IDBKeyRange {
  return IDBKeyRange.bound(`${folder}/`, `${folder}0`, false, true);
}

function openDatabase(name: string): Promise<IDBDatabase> {
  const opening = indexedDB.open(name, 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
  return answered(opening);
}

function answered<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function committed(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error);
    transaction.onerror = () => reject(transaction.error);
  });
}
