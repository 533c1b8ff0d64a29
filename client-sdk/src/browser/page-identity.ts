import { encodeBase64Url } from '@berth/protocol';
import type { ProcessIdentity } from '../host.js';

/**
 * A page has no process number, but it can hold a lock that the browser gives back exactly when the page is gone, however it ends:
 * closed, reloaded, crashed. Whoever cannot take it knows that the page lives.
 */
export class PageIdentity implements ProcessIdentity {
  readonly id: string;
  readonly pid = null;
  /** The lock is held, or there are no locks here. Nothing is written in the page's name before. */
  readonly ready: Promise<void>;

  constructor() {
    this.id = `${PREFIX}${encodeBase64Url(crypto.getRandomValues(new Uint8Array(12)))}`;
    const locks = locksHere();
    this.ready = locks === null ? Promise.resolve() : holdForever(locks, this.id);
  }

  /** `false` only when the browser says that nobody holds the lock, nor waits for it. */
  async isAlive(other: string): Promise<boolean | null> {
    const locks = locksHere();
    if (other === this.id) return true;
    if (locks === null || !other.startsWith(PREFIX)) return null;
    const { held = [], pending = [] } = await locks.query();
    return [...held, ...pending].some(({ name }) => name === other);
  }
}

const PREFIX = 'berth-page-';

/** Missing in old browsers, in spite of what the types say. */
function locksHere(): LockManager | null {
  return (navigator.locks as LockManager | undefined) ?? null;
}

function holdForever(locks: LockManager, name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const hold = () => {
      resolve();
      return new Promise<never>(() => undefined);
    };
    locks.request(name, hold).catch(reject);
  });
}
