import { chosenForFile, requireUnused } from './airgap-return.js';
import type { Borrow, ReturnBorrowsOptions } from './api.js';
import { chosenToReturn } from './borrow-return.js';
import { BorrowShelf } from './borrow-shelf.js';
import { BorrowUses } from './borrow-use.js';
import type { Host } from './host.js';
import { loadIdentity } from './identity.js';
import { PendingRequests } from './pending.js';
import { TokenCheck } from './token-check.js';

/**
 * What a return would give back, chosen as it would choose. No server is asked: it refuses no return.
 * @param inFile of a return in a file
 * @throws BerthError NOT_JOINED, BORROW_UNKNOWN, IN_USE
 */
export async function borrowsToReturnWith(
  host: Host,
  options: ReturnBorrowsOptions,
  inFile: boolean,
): Promise<Borrow[]> {
  const { context, files, key } = await loadIdentity(host, options, 'lease');
  const check = new TokenCheck(host, key.publicKey, 'unpinned');
  const shelf = new BorrowShelf(
    host,
    files,
    context.name,
    check,
    new PendingRequests(host, files, context.name),
  );
  const { id, product } = options;
  const chosen = inFile
    ? await chosenForFile(shelf, options)
    : await chosenToReturn(shelf, id === undefined ? undefined : [id], product);
  await requireUnused(new BorrowUses(host, files, context.name), chosen);
  return chosen.map(({ borrow }) => borrow);
}
