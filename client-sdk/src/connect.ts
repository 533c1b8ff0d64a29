import type { Borrow, Client, ConnectOptions, ListBorrowsOptions } from './api.js';
import { BorrowShelf } from './borrow-shelf.js';
import { ProductClient } from './client.js';
import type { BerthError } from './errors.js';
import type { Host } from './host.js';
import { loadIdentity, planOf } from './identity.js';
import { joinUnattended } from './join-unattended.js';
import { PendingRequests } from './pending.js';
import { timing } from './timing.js';
import { TokenCheck } from './token-check.js';
import { holding, sleep, throwIfAborted, unlessAborted } from './waiting.js';

/**
 * Opens a session for one product; a render node joins first (join-unattended.ts). With a valid borrow at hand it needs no server and goes on trying in the background.
 * @throws BerthError NOT_JOINED, KEY_INVALID, UNREACHABLE (servers), DEVICE_UNKNOWN, SERVER_MISMATCH, CANCELLED, …
 */
export async function connectWith(host: Host, options: ConnectOptions): Promise<Client> {
  const { signal } = options;
  throwIfAborted(signal);
  await joinUnattended(host, options);
  const identity = await loadIdentity(host, options, 'lease');
  const { plan, witness } = await planOf(host, options, identity, 'lease');
  const client = new ProductClient({ host, options, identity, plan, witness });
  return holding(host, () => open(host, client, signal));
}

async function open(host: Host, client: ProductClient, signal: AbortSignal | undefined): Promise<Client> {
  try {
    const borrowed = (await client.borrows()).some((borrow) => borrow.state === 'valid');
    const failure = await unlessAborted(firstSession(host, client, borrowed), signal);
    if (failure !== null && !borrowed) throw failure;
    return client;
  } catch (thrown) {
    await client.close();
    throw thrown;
  }
}

/** Who has a borrow does not wait long for a server that may be far away. */
async function firstSession(
  host: Host,
  client: ProductClient,
  borrowed: boolean,
): Promise<BerthError | null> {
  const first = client.start();
  if (!borrowed) return first;
  const enough = new AbortController();
  const patience = sleep(host, timing.offlinePatienceMs, enough.signal).then(
    () => null,
    () => null,
  );
  return Promise.race([first, patience]).finally(() => enough.abort());
}

/** Every borrow of a context, or of one product, from disk and verified now. Needs no server. @throws BerthError NOT_JOINED */
export async function listBorrowsWith(host: Host, options: ListBorrowsOptions): Promise<Borrow[]> {
  const { context, files, key } = await loadIdentity(host, options, 'lease');
  const check = new TokenCheck(host, key.publicKey, options.vendorKeys ?? 'unpinned');
  const pending = new PendingRequests(host, files, context.name);
  const shelf = new BorrowShelf(host, files, context.name, check, pending);
  return (await shelf.all(options.product)).map(({ borrow }) => borrow);
}
