import { installBorrowWith } from './airgap-install.js';
import { listRequestsWith, requestBorrowWith } from './airgap-request.js';
import { returnOfflineWith } from './airgap-return.js';
import type {
  AdminConnection,
  Borrow,
  Client,
  ConnectOptions,
  IdentityOptions,
  InstallBorrowOptions,
  Joined,
  JoinOptions,
  LeaseConnection,
  ListBorrowsOptions,
  OfflineRequest,
  OfflineReturn,
  OpenBorrowRequest,
  RequestBorrowOptions,
  ReturnBorrowsOptions,
  ReturnedBorrow,
} from './api.js';
import { openAdminWith, openLeaseWith, returnBorrowsWith } from './channel.js';
import { connectWith, listBorrowsWith } from './connect.js';
import type { Host } from './host.js';
import { IdentityStore as CoreIdentityStore } from './identity-store.js';
import { joinWith } from './join.js';
import { nodeHost } from './node/host.js';
import { newKey } from './random.js';
import { borrowsToReturnWith } from './return-ahead.js';

// The public entry: the core with Node as its host. `src/node` is the only part that knows Node.

export type * from './api.js';
export type * from './api-credits.js';
export type { Context } from './context.js';
export { BerthError, type BerthErrorFacts, type ServerAttempt } from './errors.js';
export type * from './host.js';
export type { DamagedContext } from './identity-store.js';
export { nodeHost } from './node/host.js';

/** Opens a session for one product. See `Client`. @throws BerthError NOT_JOINED, UNREACHABLE (servers), DEVICE_UNKNOWN, … */
export function connect(options: ConnectOptions): Promise<Client> {
  return connectWith(options.host ?? nodeHost(), options);
}

/** Enrols this device with a join link and makes its context current. Safe to repeat with the same link. @throws BerthError */
export function joinServer(options: JoinOptions): Promise<Joined> {
  return joinWith(options.host ?? nodeHost(), options);
}

/** Opens the admin channel. @throws BerthError NOT_ALLOWED without an admin key, NOT_JOINED, UNREACHABLE, … */
export function openAdmin(options: IdentityOptions = {}): Promise<AdminConnection> {
  return openAdminWith(options.host ?? nodeHost(), options);
}

/** Opens the lease channel without taking seats. @throws BerthError NOT_JOINED, UNREACHABLE, … */
export function openLease(options: IdentityOptions = {}): Promise<LeaseConnection> {
  return openLeaseWith(options.host ?? nodeHost(), options);
}

/** The borrows of a context, from disk and verified now, without a server. @throws BerthError NOT_JOINED */
export function listBorrows(options: ListBorrowsOptions = {}): Promise<Borrow[]> {
  return listBorrowsWith(options.host ?? nodeHost(), options);
}

/** Returns borrows early: one, those of a product, or all. @throws BerthError BORROW_UNKNOWN, IN_USE, UNREACHABLE, … */
export function returnBorrows(options: ReturnBorrowsOptions = {}): Promise<ReturnedBorrow[]> {
  return returnBorrowsWith(options.host ?? nodeHost(), options);
}

/**
 * The borrows that `returnBorrows` would return, or `returnBorrowsOffline` with `inFile`; nothing is changed and no server is asked.
 * @throws BerthError BORROW_UNKNOWN, IN_USE, NOT_JOINED
 */
export function borrowsToReturn(
  options: ReturnBorrowsOptions & { readonly inFile?: boolean } = {},
): Promise<Borrow[]> {
  return borrowsToReturnWith(options.host ?? nodeHost(), options, options.inFile ?? false);
}

/**
 * Asks for seats in a file, for a machine that no network reaches: an admin carries it to the server and brings the answer back.
 * @throws BerthError USAGE, PARAMS_INVALID, FOLDER_UNWRITABLE
 */
export function requestBorrow(options: RequestBorrowOptions): Promise<OfflineRequest> {
  return requestBorrowWith(options.host ?? nodeHost(), options);
}

/** What this machine asked for in files and has not installed an answer to. @throws BerthError FILE_UNREADABLE */
export function listBorrowRequests(
  options: Pick<ListBorrowsOptions, 'context' | 'home' | 'host'> = {},
): Promise<OpenBorrowRequest[]> {
  return listRequestsWith(options.host ?? nodeHost(), options);
}

/** Installs what an admin granted. @throws BerthError BORROW_FILE_INVALID, GRANT_FOREIGN, TOKEN_INVALID, CLOCK_SKEW, … */
export function installBorrow(options: InstallBorrowOptions): Promise<Borrow> {
  return installBorrowWith(options.host ?? nodeHost(), options);
}

/** Returns borrows in a file; from then on they are not used. @throws BerthError BORROW_UNKNOWN, IN_USE, NOT_JOINED */
export function returnBorrowsOffline(options: ReturnBorrowsOptions = {}): Promise<OfflineReturn> {
  return returnOfflineWith(options.host ?? nodeHost(), options);
}

/** A fresh key for a changing request (I7). */
export function newIdempotencyKey(host: Host = nodeHost()): string {
  return newKey(host);
}

/** The joined contexts of this user. */
export class IdentityStore extends CoreIdentityStore {
  constructor({ home, host = nodeHost() }: { home?: string | undefined; host?: Host | undefined } = {}) {
    super(host.files(home));
  }
}
