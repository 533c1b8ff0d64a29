import { limits, type ParamsOf } from '@berth/protocol';
import type { Lease, Now, Seat, State } from '../domain/state.js';
import { isLasting, leaseInfo, lingeringInfo } from '../domain/views.js';
import type { Answer } from '../transport/api.js';
import { cut, inOrder, keyIn, page } from './pages.js';
import { unknownFilter } from './people.js';

/** A seat that lingers is told under the name of its last lease: an admin sees why it is not free. */
type Row = Lease | Seat;

/** By product and lease. A page costs what it shows, however many leases there are; of somebody, as many as they have. */
export function listLeases(
  state: State,
  { cursor, limit = limits.pageRows, product }: ParamsOf<'lease.list'>,
  email: string | undefined,
  now: Now,
): Answer<'lease.list'> {
  const unknown = unknownFilter(state, { email, product });
  if (unknown !== null) return unknown;
  const view = (row: Row) => ('claims' in row ? leaseInfo(state, row, now) : lingeringInfo(state, row, now));
  const result =
    email === undefined
      ? cut(rowsBehind(state, product, keyIn(cursor) ?? ''), keyOf, limit, view)
      : page(rowsOf(state, product, email), keyOf, { cursor, limit }, view);
  return { ok: true, result };
}

function keyOf(row: Row): string {
  return 'claims' in row
    ? `${row.claims.product} ${row.claims.jti}`
    : `${row.product} ${row.linger?.lease ?? ''}`;
}

function* rowsOf(state: State, product: string | undefined, email: string): Generator<Row> {
  for (const id of state.derived.seatsByUser.get(email)) {
    const seat = state.tables.seat.get(id)!;
    if (product !== undefined && seat.product !== product) continue;
    if (seat.linger !== undefined) yield seat;
    for (const lease of state.derived.leasesBySeat.get(id)) {
      const row = state.tables.lease.get(lease)!;
      if (isLasting(state, row)) yield row;
    }
  }
}

function* rowsBehind(state: State, only: string | undefined, key: string): Generator<Row> {
  const [from = '', behind = ''] = key.split(' ');
  const products = only === undefined ? [...state.tables.product.keys()].sort(inOrder) : [only];
  for (const product of products) {
    if (product < from) continue;
    for (const id of idsBehind(state, product, product === from ? behind : '')) {
      const lease = state.tables.lease.get(id);
      if (lease === undefined) yield state.tables.seat.get(state.derived.lingerByLease.get(id)!)!;
      else if (isLasting(state, lease)) yield lease;
    }
  }
}

/** Leases and last leases in order. Few seats linger at a time. */
function* idsBehind({ tables, derived }: State, product: string, behind: string): Generator<string> {
  const lingering = [...derived.lingeringByProduct.get(product)]
    .map((id) => tables.seat.get(id)?.linger?.lease ?? '')
    .filter((id) => id > behind)
    .sort(inOrder);
  let next = 0;
  for (const id of derived.leasesByProduct.get(product).after(behind)) {
    while (next < lingering.length && lingering[next]! < id) yield lingering[next++]!;
    yield id;
  }
  yield* lingering.slice(next);
}
