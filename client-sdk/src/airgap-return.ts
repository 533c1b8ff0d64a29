import { formatOfflineFile, formatPublicKey } from '@berth/protocol';
import type { OfflineReturn, ReturnBorrowsOptions } from './api.js';
import { BorrowShelf, type StoredBorrow } from './borrow-shelf.js';
import { BorrowUses } from './borrow-use.js';
import { BerthError } from './errors.js';
import type { Host } from './host.js';
import { loadIdentity } from './identity.js';
import { PendingRequests } from './pending.js';
import { newKey } from './random.js';
import { signStop } from './release.js';
import { TokenCheck } from './token-check.js';

/** Stops in one pending return (the schema of `borrow.return`). */
const STOPS_PER_RETURN = 12;

/**
 * Returns borrows in a file. That they are not used any more is on disk before this resolves, so before the file can leave. Asked again, it
 * says the same once more: a lost file costs nothing.
 * @throws BerthError NOT_JOINED, BORROW_UNKNOWN, IN_USE, FOLDER_UNWRITABLE
 */
export async function returnOfflineWith(host: Host, options: ReturnBorrowsOptions): Promise<OfflineReturn> {
  const { context, files, key } = await loadIdentity(host, options, 'lease');
  const check = new TokenCheck(host, key.publicKey, 'unpinned');
  const pending = new PendingRequests(host, files, context.name);
  const shelf = new BorrowShelf(host, files, context.name, check, pending);
  const uses = new BorrowUses(host, files, context.name);
  const chosen = await chosenForFile(shelf, options);
  await requireUnused(uses, chosen);
  const leases = chosen
    .filter(({ borrow }) => borrow.state !== 'returning')
    .flatMap(({ borrow }) => borrow.leaseIds);
  const begun: string[] = [];
  for (let at = 0; at < leases.length; at += STOPS_PER_RETURN) {
    const part = leases.slice(at, at + STOPS_PER_RETURN);
    const stops = part.map((id) => signStop({ host, check, key }, id));
    const request = { key: newKey(host), stops, leases: part };
    await pending.begin('return', request);
    begun.push(request.key);
    // If this machine ever reaches the server it tells it, too.
    pending.leave(request.key);
  }
  // Who began to use one meanwhile may not have seen it; nobody has seen these stops (BorrowSeats.take).
  await requireUnused(uses, chosen).catch(async (thrown: unknown) => {
    for (const request of begun) await pending.end('return', request);
    throw thrown;
  });
  const ids = new Set(chosen.flatMap(({ borrow }) => borrow.leaseIds));
  const returning = (await pending.all('return')).filter((request) =>
    request.leases.some((id) => ids.has(id)),
  );
  const stops = returning.flatMap((request) => request.stops);
  const device = formatPublicKey(key.publicKey);
  return {
    file: formatOfflineFile({ berth: 'borrow-return', version: 1, device, stops }),
    borrows: chosen.map(({ borrow }) => borrow),
  };
}

/** Those whose return was written before too: the file may have been lost. @throws BerthError BORROW_UNKNOWN */
export async function chosenForFile(
  shelf: BorrowShelf,
  { id, product }: Pick<ReturnBorrowsOptions, 'id' | 'product'>,
): Promise<StoredBorrow[]> {
  const all = await shelf.all(product);
  const chosen = all.filter(({ borrow }) => id === undefined || borrow.leaseIds.includes(id));
  if (chosen.length === 0) throw new BerthError('BORROW_UNKNOWN');
  return chosen;
}

/** @throws BerthError IN_USE */
export async function requireUnused(uses: BorrowUses, chosen: readonly StoredBorrow[]): Promise<void> {
  for (const { borrow, seatIds } of chosen) {
    if (await uses.inUse(seatIds))
      throw new BerthError('IN_USE', {
        message: `A seat of ${borrow.product} is still in use here.`,
        hint: 'End the programs that use it, then return it.',
      });
  }
}
