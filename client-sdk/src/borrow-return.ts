import { type ErrorCode, requests } from '@berth/protocol';
import type { ReturnedBorrow } from './api.js';
import type { BorrowDesk } from './borrow-desk.js';
import type { BorrowShelf, StoredBorrow } from './borrow-shelf.js';
import { asBerthError, BerthError } from './errors.js';
import type { PendingReturn } from './pending.js';
import { newKey } from './random.js';
import { signStop } from './release.js';
import { timing } from './timing.js';

/** Stops in one `borrow.return` (its schema). */
const STOPS_PER_RETURN = 12;

type ReturnRequest = Omit<PendingReturn, 'owner' | 'createdAtMs'>;
/** By lease id: when the server may grant its seat again. */
type FreeAtMs = Map<string, number>;

/** Answers after which it is sure that the request has returned nothing. */
const notReturned = new Set<ErrorCode>([
  ...requests['borrow.return'].errors,
  'PARAMS_INVALID',
  'METHOD_UNKNOWN',
]);

/**
 * Returns the borrows that have one of these leases, or every one of a product. From the moment the stops are signed and on disk
 * they are not used any more; the files go when the server has confirmed it.
 * @throws BerthError BORROW_UNKNOWN, IN_USE, UNREACHABLE, …
 */
export async function returnStored(
  desk: BorrowDesk,
  ids: readonly string[] | undefined,
  product: string | undefined,
): Promise<ReturnedBorrow[]> {
  const chosen = await chosenToReturn(desk.shelf, ids, product);
  for (const { borrow, seatIds } of chosen) {
    if (await desk.uses.inUse(seatIds)) throw inUse(borrow.product);
  }
  if (chosen.length === 0) return [];
  // A stop is signed only when it can be sent: without a server the borrow stays as good as it is.
  await desk.session.link.connected(timing.unsentMs, undefined);
  const freeAtMs: FreeAtMs = new Map();
  for (const batch of batches(chosen.map(({ borrow }) => borrow.leaseIds))) {
    const seatIds = chosen
      .filter(({ borrow }) => borrow.leaseIds.some((id) => batch.includes(id)))
      .flatMap((stored) => stored.seatIds);
    for (const [id, ms] of await returnBatch(desk, batch, seatIds)) freeAtMs.set(id, ms);
  }
  return chosen.map(({ borrow: { id, product: named, leaseIds: leases } }) => {
    const moments = leases.map((lease) => freeAtMs.get(lease) ?? 0);
    return { id, product: named, leaseIds: leases, freeAtMs: Math.max(...moments) };
  });
}

/** @throws BerthError BORROW_UNKNOWN */
export async function chosenToReturn(
  shelf: BorrowShelf,
  ids: readonly string[] | undefined,
  product: string | undefined,
): Promise<StoredBorrow[]> {
  const all = await shelf.all(product);
  if (ids === undefined) return all.filter(({ borrow }) => borrow.state !== 'returning');
  const chosen = all.filter(({ borrow }) => ids.some((id) => borrow.leaseIds.includes(id)));
  if (chosen.length === 0) throw new BerthError('BORROW_UNKNOWN');
  return chosen;
}

/** As few requests as fit; the leases of one borrow stay together unless they are too many for one. */
function batches(groups: readonly (readonly string[])[]): string[][] {
  const result: string[][] = [];
  for (const group of groups) {
    for (let at = 0; at < group.length; at += STOPS_PER_RETURN) {
      const part = group.slice(at, at + STOPS_PER_RETURN);
      const last = result.at(-1);
      if (last !== undefined && last.length + part.length <= STOPS_PER_RETURN) last.push(...part);
      else result.push(part);
    }
  }
  return result;
}

/** @param seatIds nobody may use any of them: those that begin from now on see the return on disk (BorrowSeats.take) */
async function returnBatch(
  desk: BorrowDesk,
  leases: readonly string[],
  seatIds: readonly string[],
): Promise<FreeAtMs> {
  const stops = leases.map((id) => signStop(desk.session, id));
  const request: ReturnRequest = { key: newKey(desk.session.host), stops, leases };
  await desk.pending.begin('return', request);
  if (await desk.uses.inUse(seatIds)) {
    await desk.pending.end('return', request.key);
    throw inUse(null);
  }
  return performReturn(desk, request, false);
}

/**
 * Sends the request, exactly as it was first sent, until it is answered.
 * @param sent it may have left before, from here or from a process that is gone: the server may have freed the seat (I1)
 * @throws BerthError
 */
export async function performReturn(
  desk: BorrowDesk,
  request: ReturnRequest,
  sent: boolean,
): Promise<FreeAtMs> {
  const { key, stops } = request;
  let left = false;
  const onFirstSend = () => {
    left = true;
  };
  try {
    const params = { key, stops: [...stops] };
    const { returned } = await desk.session.link.request('borrow.return', params, { onFirstSend });
    await taken(desk, request);
    return new Map(returned.map(({ lease, freeAtMs }) => [lease, freeAtMs]));
  } catch (thrown) {
    const error = asBerthError(thrown);
    if (error.code === 'BORROW_UNKNOWN') return forget(desk, request);
    // I8: a server that had a session of this device removes it only when it has no borrow left, so it took this return.
    if (left && error.code === 'DEVICE_UNKNOWN') return taken(desk, request);
    // Never sent: nobody has seen the stops, the borrow is as good as before.
    if (!(sent || left) || notReturned.has(error.code)) await desk.pending.end('return', key);
    else desk.pending.leave(key);
    throw error;
  }
}

/** The server has taken them back, at the latest by now. */
async function taken(desk: BorrowDesk, { key, leases }: ReturnRequest): Promise<FreeAtMs> {
  await desk.shelf.remove(leases);
  await desk.pending.end('return', key);
  const nowMs = Math.round(desk.session.host.clock.wallMs());
  return new Map(leases.map((id) => [id, nowMs]));
}

/** The server knows one of them no more: it was returned before, or has ended. The others are returned one by one. */
async function forget(desk: BorrowDesk, request: ReturnRequest): Promise<FreeAtMs> {
  const { key, leases } = request;
  if (leases.length === 1) return taken(desk, request);
  const freeAtMs: FreeAtMs = new Map();
  for (const id of leases) {
    for (const [lease, ms] of await returnBatch(desk, [id], [])) freeAtMs.set(lease, ms);
  }
  await desk.pending.end('return', key);
  return freeAtMs;
}

function inUse(product: string | null): BerthError {
  return new BerthError('IN_USE', {
    message: `A program on this computer uses the borrowed seat${product === null ? '' : ` of ${product}`}.`,
    hint: 'End that program, or let it release its seat, then return the borrow.',
  });
}
