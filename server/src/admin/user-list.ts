import { dayStartMs, limits, type MemberOrder, type ParamsOf, roleOrder } from '@berth/protocol';
import { deny } from '../domain/commands.js';
import { grantOf, spentUntil } from '../domain/credits.js';
import type { FormerUser, Now, State, User } from '../domain/state.js';
import { memberInfo } from '../domain/views.js';
import type { Answer } from '../transport/api.js';
import { page } from './pages.js';
import { unknownFilter } from './people.js';

type Asked = ParamsOf<'user.list'>;
/** Removed ones are listed where they are asked for, as everybody else is. */
type Listed = User | FormerUser;

/** By e-mail, and without a filter that leaves nobody, a page costs what it shows, however many users there are. */
export function listUsers(state: State, asked: Asked, now: Now): Answer<'user.list'> {
  const { sort = 'email', descending = false, cursor, limit = limits.pageRows } = asked;
  const { spentUntil: until = null } = asked;
  if (until !== null && dayStartMs(until) === null)
    return deny('DATE_INVALID', `"${until}" is not a day: write it as 2027-05-09.`);
  const unknown = unknownFilter(state, { product: asked.product });
  if (unknown !== null) return unknown;
  const view = (user: Listed) => memberInfo(state, user, now, until);
  if (asked.page === undefined && sort === 'email' && !descending) {
    const after = cursor === undefined ? '' : Buffer.from(cursor, 'base64url').toString();
    // One more than the page: it says that there is another.
    const rows = first(limit + 1, candidates(state, asked, after));
    return { ok: true, result: page(rows, ({ email }) => email, { cursor, limit }, view) };
  }
  const rows = [...candidates(state, asked, '')];
  const key = (user: Listed): string =>
    sort === 'email' ? user.email : `${orders[sort](state, user, until)}\u0000${user.email}`;
  const skip = cursor === undefined ? ((asked.page ?? 1) - 1) * limit : 0;
  const result = page(rows, key, { cursor, limit, descending, skip }, view);
  return { ok: true, result: { ...result, ...(asked.page === undefined ? {} : { total: rows.length }) } };
}

const orders: {
  readonly [O in Exclude<MemberOrder, 'email'>]: (state: State, user: Listed, until: string | null) => string;
} = {
  name: (_, { name }) => name.toLowerCase(),
  role: (_, { role }) => String(roleOrder.indexOf(role)),
  state: (_, { state }) => state,
  devices: (state, { email }) => padded(state.derived.devicesByUser.get(email).size),
  seats: (state, { email }) => padded(seatsOf(state, email)),
  credits: (state, { email }, until) => String(spentUntil(state, email, until)).padStart(16, '0'),
};

function seatsOf(state: State, email: string): number {
  let seats = 0;
  for (const id of state.derived.allocationsByUser.get(email))
    seats += state.tables.allocation.get(id)!.quantity;
  return seats;
}

/** Keys are compared as text. */
const padded = (count: number): string => String(count).padStart(12, '0');

function* first<T>(count: number, rows: Iterable<T>): Generator<T> {
  let left = count;
  for (const row of rows) {
    yield row;
    left -= 1;
    if (left === 0) return;
  }
}

function* candidates(state: State, asked: Asked, after: string): Generator<Listed> {
  for (const email of emailsOf(state, asked, after)) {
    const user = state.tables[asked.state === 'removed' ? 'formerUser' : 'user'].get(email);
    if (user === undefined || !isWanted(user, asked)) continue;
    if (asked.credit === undefined || grantOf(state, email).access === asked.credit) yield user;
  }
}

/** The smallest index that has everybody who may be meant. */
function emailsOf(state: State, asked: Asked, after: string): Iterable<string> {
  const { product, role, credit } = asked;
  // Whoever was removed has nothing allocated.
  if (asked.state === 'removed') return product === undefined ? state.derived.formerNames.after(after) : [];
  const found = smallest(state, product, role, credit);
  if (found === null) return state.derived.userNames.after(after);
  return [...found].filter((email) => email > after).sort((a, b) => (a < b ? -1 : 1));
}

function smallest(
  state: State,
  product: Asked['product'],
  role: Asked['role'],
  credit: Asked['credit'],
): ReadonlySet<string> | null {
  if (product !== undefined) return holders(state, product);
  // Who may spend none has no row, so there is no index of them.
  if (credit === 'limited' || credit === 'unlimited') return state.derived.creditsByAccess.get(credit);
  return role === undefined ? null : state.derived.usersByRole.get(role);
}

/** Who has seats of a product allocated. */
function holders(state: State, product: string): Set<string> {
  const emails = new Set<string>();
  for (const entitlement of state.derived.entitlementsByProduct.get(product))
    for (const id of state.derived.allocationsByEntitlement.get(entitlement))
      emails.add(state.tables.allocation.get(id)!.email);
  return emails;
}

function isWanted(user: Listed, { search, role, state }: Asked): boolean {
  if (role !== undefined && user.role !== role) return false;
  if (state !== undefined && user.state !== state) return false;
  const text = search?.trim().toLowerCase();
  return (
    text === undefined ||
    user.email.includes(text) ||
    user.name.toLowerCase().includes(text) ||
    user.role === text ||
    (user.state !== 'removed' && (user.aliases ?? []).some((alias) => alias.includes(text)))
  );
}
