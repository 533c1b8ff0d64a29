import type * as client from '@berth/client';

/** The part of @berth/client that commands use: main.ts passes the real one, tests pass their own. */
export interface Sdk {
  readonly connect: typeof client.connect;
  readonly joinServer: typeof client.joinServer;
  readonly openAdmin: typeof client.openAdmin;
  readonly openLease: typeof client.openLease;
  readonly listBorrows: typeof client.listBorrows;
  readonly returnBorrows: typeof client.returnBorrows;
  readonly borrowsToReturn: typeof client.borrowsToReturn;
  readonly requestBorrow: typeof client.requestBorrow;
  readonly listBorrowRequests: typeof client.listBorrowRequests;
  readonly installBorrow: typeof client.installBorrow;
  readonly returnBorrowsOffline: typeof client.returnBorrowsOffline;
  readonly newIdempotencyKey: typeof client.newIdempotencyKey;
  /** Where contexts, and keys and borrows, are on disk. */
  folders(home: string | undefined): { readonly config: string; readonly state: string };
  /** The joined contexts in a folder, or in the default ones. */
  identities(
    home: string | undefined,
  ): Pick<client.IdentityStore, 'list' | 'listReadable' | 'current' | 'use' | 'read'>;
}
