import { dayStartMs, limits, type MemberOrder, type ParamsOf, roleOrder } from '@berth/protocol';
import { deny } from '../domain/commands.js';
import { grantOf, spentUntil } from '../domain/credits.js';
import type { SortedKeys } from '../domain/sorted-keys.js';
import { allocationId, type FormerUser, holderOf, type State, type User } from '../domain/state.js';
import type { Table } from '../domain/table.js';
import { memberInfo } from '../domain/views.js';
import type { Answer } from '../transport/api.js';
import type { HandlerDeps } from './deps.js';
import { cut, inOrder, keyIn } from './pages.js';
import { unknownFilter } from './people.js';
import { inTurns, ROWS_AT_ONCE, Selection } from './selection.js';

type Asked = ParamsOf<'user.list'>;
/** Removed ones are listed where they are asked for, as everybody else is. */
type Listed = User | FormerUser;

/** Where somebody stands in an order. By e-mail, `by` says nothing. */
interface Place {
  readonly by: string | number;
  readonly email: string;
}

/** What a page is cut from, and how many there are on all pages; `null`: nobody asked. */
interface Found {
  readonly places: readonly Place[];
  readonly total: number | null;
}

/**
 * By e-mail, and by what an index has, a page costs what it shows, however many users there are. Anything else is looked for among all of them, and the
 * sockets have their turn meanwhile.
 */
export async function listUsers(
  deps: { readonly state: State; readonly engine: Pick<HandlerDeps['engine'], 'read'> },
  asked: Asked,
): Promise<Answer<'user.list'>> {
  const { sort = 'email', limit = limits.pageRows, spentUntil: until = null } = asked;
  if (until !== null && dayStartMs(until) === null)
    return deny('DATE_INVALID', `"${until}" is not a day: write it as 2027-05-09.`);
  const found = inIndex(deps.state, asked) ?? (await amongAll(deps.state, asked));
  return deps.engine.read((state, now): Answer<'user.list'> => {
    const unknown = unknownFilter(state, { product: asked.product });
    if (unknown !== null) return unknown;
    const isMeant = filterOf(state, asked);
    const { items, next } = cut(
      found.places,
      (place) => keyOf(place, sort),
      limit,
      ({ email }) => {
        const user = tableOf(state, asked).get(email);
        return user === undefined || !isMeant(user) ? null : memberInfo(state, user, now, until);
      },
    );
    return { ok: true, result: { items, next, ...(found.total === null ? {} : { total: found.total }) } };
  });
}

const orders: {
  readonly [O in Exclude<MemberOrder, 'email'>]: (
    state: State,
    user: Listed,
    until: string | null,
  ) => string | number;
} = {
  name: (_, { name }) => name.toLowerCase(),
  role: (_, { role }) => roleOrder.indexOf(role),
  state: (_, { state }) => state,
  devices: (state, { email }) => state.derived.devicesByUser.count(email),
  seats: (state, { email }) => seatsOf(state, email),
  credits: (state, { email }, until) => spentUntil(state, email, until),
};

function seatsOf({ tables, derived }: State, email: string): number {
  let seats = 0;
  derived.allocationsByUser.each(email, (id) => {
    seats += tables.allocation.get(id)!.quantity;
  });
  return seats;
}

/** Digits of what is a number, in a cursor. */
const digits: { readonly [O in MemberOrder]?: number } = { role: 1, devices: 12, seats: 12, credits: 16 };

function keyOf({ by, email }: Place, sort: MemberOrder): string {
  return sort === 'email' ? email : `${String(by).padStart(digits[sort] ?? 0, '0')}\u0000${email}`;
}

function placeIn(cursor: string | undefined, sort: MemberOrder): Place | null {
  const key = keyIn(cursor);
  if (key === null || sort === 'email') return key === null ? null : { by: '', email: key };
  const [text = '', email] = key.split('\u0000');
  const by = digits[sort] === undefined ? text : Number(text);
  return email === undefined || Number.isNaN(by) ? null : { by, email };
}

/** Of those who are looked at one after the other before all are: what is asked for is often among the first. */
const AT_FIRST = 1000;

/** By e-mail from an index of exactly those who are meant, or of more if the page is full soon; `null`: neither. */
function inIndex(state: State, asked: Asked): Found | null {
  const { sort = 'email', descending = false, cursor, limit = limits.pageRows } = asked;
  const exact = isIndexed(asked);
  if (sort !== 'email' || (asked.page !== undefined && !exact)) return null;
  const names = namesOf(state, asked);
  const total = asked.page === undefined ? null : names.size;
  const isMeant = filterOf(state, asked);
  const places: Place[] = [];
  let looked = 0;
  const behind = keyIn(cursor);
  const skip = cursor === undefined ? ((asked.page ?? 1) - 1) * limit : 0;
  for (const email of behind === null
    ? names[descending ? 'fromEnd' : 'from'](skip)
    : names[descending ? 'before' : 'after'](behind)) {
    if (exact || isMeant(tableOf(state, asked).get(email)!)) places.push({ by: '', email });
    if (places.length > limit) break;
    looked += 1;
    if (looked > AT_FIRST && !exact) return null;
  }
  return { places, total };
}

/** Whether an index has exactly those who are meant. */
function isIndexed({ search = '', product, credit, role, state }: Asked): boolean {
  return (
    search.trim() === '' &&
    product === undefined &&
    credit === undefined &&
    (role === undefined || state === undefined)
  );
}

/** The index in order that has everybody who may be meant. */
function namesOf({ derived }: State, { role, state }: Asked): Omit<SortedKeys, 'add' | 'remove'> {
  if (state === 'removed') return derived.formerNames;
  if (role !== undefined) return derived.usersByRole.get(role);
  return state === undefined ? derived.userNames : derived.usersByState.get(state);
}

/** Where somebody stands is looked up, or a text of its own. */
const RANKED_AT_ONCE = 2048;

async function amongAll(state: State, asked: Asked): Promise<Found> {
  const { sort = 'email', descending = false, cursor, limit = limits.pageRows } = asked;
  const { spentUntil: until = null } = asked;
  const sign = descending ? -1 : 1;
  const compare = (a: Place, b: Place): number => sign * (inOrder(a.by, b.by) || inOrder(a.email, b.email));
  const behind = placeIn(cursor, sort);
  const skip = cursor === undefined ? ((asked.page ?? 1) - 1) * limit : 0;
  const found = new Selection(skip + limit + 1, compare);
  let total = 0;
  const add = (place: Place): void => {
    total += 1;
    if (behind === null || compare(place, behind) > 0) found.add(place);
  };
  const isMeant = filterOf(state, asked);
  const look = (user: Listed | undefined): void => {
    if (user === undefined || !isMeant(user)) return;
    add({ by: sort === 'email' ? '' : orders[sort](state, user, until), email: user.email });
  };
  if (sort === 'email' && isOfProductAlone(asked))
    await holdersInTurns(state, asked.product, (email) => add({ by: '', email }));
  else if (asked.product !== undefined && asked.state !== 'removed')
    await holdersInTurns(state, asked.product, (email) => look(state.tables.user.get(email)));
  else {
    const emails = emailsOf(state, asked);
    const atOnce = sort === 'email' ? ROWS_AT_ONCE : RANKED_AT_ONCE;
    if (emails === null) await inTurns(tableOf(state, asked).values(), look, atOnce);
    else await inTurns(emails, (email) => look(state.tables.user.get(email)), RANKED_AT_ONCE);
  }
  return { places: found.sorted(skip), total: asked.page === undefined ? null : total };
}

/** Nothing of a user's row is asked about. */
function isOfProductAlone(asked: Asked): asked is Asked & { readonly product: string } {
  const { product, search = '', role, state, credit } = asked;
  return product !== undefined && search.trim() === '' && (role ?? state ?? credit) === undefined;
}

/** As few as an index allows; `null`: all of them are looked at in the order in which they are kept, faster than in any other. */
function emailsOf(state: State, { role, credit, state: is }: Asked): Iterable<string> | null {
  if (is === 'removed') return null;
  // Who may spend none has no row, so there is no index of them.
  if (credit === 'limited' || credit === 'unlimited') return state.derived.creditsByAccess.get(credit);
  const ofRole = role === undefined ? null : state.derived.usersByRole.get(role);
  return ofRole !== null && ofRole.size < state.tables.user.size / FASTER ? ofRole : null;
}

/** So many users are looked at in the time in which one is looked up. */
const FASTER = 4;

/** Who has seats of a product allocated. */
async function holdersInTurns(
  { derived }: State,
  product: string,
  look: (email: string) => void,
): Promise<void> {
  const entitlements = [...derived.entitlementsByProduct.get(product)];
  // Of all at one moment: seats move from one entitlement to another.
  const ids = entitlements.map((entitlement) => [...derived.allocationsByEntitlement.get(entitlement)]);
  const told = entitlements.length > 1 ? new Set<string>() : null;
  const once = (id: string): void => {
    const email = holderOf(id);
    if (told?.has(email)) return;
    told?.add(email);
    look(email);
  };
  await inTurns(([] as string[]).concat(...ids), once, RANKED_AT_ONCE);
}

function tableOf({ tables }: State, { state }: Asked): Pick<Table<Listed>, 'get' | 'values'> {
  return state === 'removed' ? tables.formerUser : tables.user;
}

function filterOf(state: State, asked: Asked): (user: Listed) => boolean {
  const { role, state: is, product, credit } = asked;
  const text = asked.search?.trim().toLowerCase() ?? '';
  return (user) =>
    (role === undefined || user.role === role) &&
    (is === undefined || user.state === is) &&
    (text === '' || isFound(user, text)) &&
    (credit === undefined || grantOf(state, user.email).access === credit) &&
    (product === undefined || holds(state, user.email, product));
}

function isFound(user: Listed, text: string): boolean {
  return (
    user.email.includes(text) ||
    user.name.toLowerCase().includes(text) ||
    user.role === text ||
    (user.state !== 'removed' && user.aliases?.some((alias) => alias.includes(text)) === true)
  );
}

function holds(state: State, email: string, product: string): boolean {
  for (const entitlement of state.derived.entitlementsByProduct.get(product))
    if (state.tables.allocation.has(allocationId(email, entitlement))) return true;
  return false;
}
