import type {
  Borrow,
  Client,
  ConnectOptions,
  IdentityOptions,
  Joined,
  JoinOptions,
  LeaseConnection,
  ListBorrowsOptions,
  ReturnBorrowsOptions,
  ReturnedBorrow,
} from '../api.js';
import { openLeaseWith, returnBorrowsWith } from '../channel.js';
import { connectWith, listBorrowsWith } from '../connect.js';
import type { Host } from '../host.js';
import { IdentityStore as CoreIdentityStore } from '../identity-store.js';
import { joinWith } from '../join.js';
import { browserHost } from './host.js';

// The entry for web pages: the same core, with the browser as its host. No admin channel: it must be bound to its connection, and a
// browser has no TLS exporter (PROTOCOL 2.3).

export type * from '../api.js';
export type { Context } from '../context.js';
export { BerthError, type BerthErrorFacts, type ServerAttempt } from '../errors.js';
export type * from '../host.js';
export type { DamagedContext } from '../identity-store.js';
export { browserHost } from './host.js';

/** Opens a session for one product. See `Client`. @throws BerthError NOT_JOINED, UNREACHABLE (servers), DEVICE_UNKNOWN, … */
export function connect(options: ConnectOptions): Promise<Client> {
  return connectWith(options.host ?? browserHost(), options);
}

/**
 * Enrols this browser, for pages of this origin, with a join link. Its key lies in IndexedDB. Safe to repeat with the same link.
 * @throws BerthError
 */
export function joinServer(options: JoinOptions): Promise<Joined> {
  return joinWith(options.host ?? browserHost(), { ...options, admin: false });
}

/** Opens the lease channel without taking seats. @throws BerthError NOT_JOINED, UNREACHABLE, … */
export function openLease(options: IdentityOptions = {}): Promise<LeaseConnection> {
  return openLeaseWith(options.host ?? browserHost(), options);
}

/** The borrows of a context, from this browser and verified now, without a server. @throws BerthError NOT_JOINED */
export function listBorrows(options: ListBorrowsOptions = {}): Promise<Borrow[]> {
  return listBorrowsWith(options.host ?? browserHost(), options);
}

/** Returns borrows early: one, those of a product, or all. @throws BerthError BORROW_UNKNOWN, IN_USE, UNREACHABLE, … */
export function returnBorrows(options: ReturnBorrowsOptions = {}): Promise<ReturnedBorrow[]> {
  return returnBorrowsWith(options.host ?? browserHost(), options);
}

/** The contexts this browser has joined, for pages of this origin. */
export class IdentityStore extends CoreIdentityStore {
  constructor({ home, host = browserHost() }: { home?: string | undefined; host?: Host | undefined } = {}) {
    super(host.files(home));
  }
}
