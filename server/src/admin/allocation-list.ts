import { limits, type ParamsOf } from '@berth/protocol';
import { allocationId, holderOf, type State } from '../domain/state.js';
import { allocationInfo } from '../domain/views.js';
import type { Answer } from '../transport/api.js';
import type { HandlerDeps } from './deps.js';
import { cut, inOrder, keyIn } from './pages.js';
import { unknownFilter } from './people.js';
import { inTurns, Selection } from './selection.js';

/** What stands before the others in the order of the list comes first. */
interface Place {
  readonly email: string;
  readonly product: string;
  readonly entitlement: string;
}

/** By e-mail, product and entitlement. A page costs what it shows, however many hold something; of one product, all of it are looked at. */
export async function listAllocations(
  deps: { readonly state: State; readonly engine: Pick<HandlerDeps['engine'], 'read'> },
  { cursor, limit = limits.pageRows, product }: ParamsOf<'allocation.list'>,
  email: string | undefined,
): Promise<Answer<'allocation.list'>> {
  const behind = placeIn(cursor);
  const few =
    email === undefined && product !== undefined
      ? await ofProduct(deps.state, product, behind, limit + 1)
      : null;
  return deps.engine.read((state, now): Answer<'allocation.list'> => {
    const unknown = unknownFilter(state, { email, product });
    if (unknown !== null) return unknown;
    const places = few ?? placesBehind(state, email, product, behind);
    const result = cut(places, keyOf, limit, (place) => {
      const row = state.tables.allocation.get(allocationId(place.email, place.entitlement));
      return row === undefined ? null : allocationInfo(state, row, now);
    });
    return { ok: true, result };
  });
}

function keyOf({ email, product, entitlement }: Place): string {
  return `${email} ${product} ${entitlement}`;
}

function placeIn(cursor: string | undefined): Place {
  const [email = '', product = '', entitlement = ''] = (keyIn(cursor) ?? '').split(' ');
  return { email, product, entitlement };
}

function compare(a: Place, b: Place): number {
  return inOrder(a.email, b.email) || inOrder(a.product, b.product) || inOrder(a.entitlement, b.entitlement);
}

/** Of one user, or of everybody from the one where the page begins. */
function* placesBehind(
  state: State,
  email: string | undefined,
  product: string | undefined,
  behind: Place,
): Generator<Place> {
  const { holders } = state.derived;
  const theirs = (each: string): Place[] =>
    placesOf(state, each)
      .filter((place) => (product === undefined || place.product === product) && compare(place, behind) > 0)
      .sort(compare);
  yield* theirs(email ?? behind.email);
  if (email === undefined) for (const each of holders.after(behind.email)) yield* theirs(each);
}

function placesOf(state: State, email: string): Place[] {
  return [...state.derived.allocationsByUser.get(email)].map((id) => {
    const { entitlement } = state.tables.allocation.get(id)!;
    return { email, product: state.tables.entitlement.get(entitlement)!.claims.product, entitlement };
  });
}

async function ofProduct(
  state: State,
  product: string,
  behind: Place,
  count: number,
): Promise<readonly Place[]> {
  const found = new Selection(count, compare);
  for (const { claims } of [...state.tables.entitlement.values()]) {
    if (claims.product !== product) continue;
    await inTurns(state.derived.allocationsByEntitlement.get(claims.jti), (id) => {
      const place = { email: holderOf(id), product, entitlement: claims.jti };
      if (compare(place, behind) > 0) found.add(place);
    });
  }
  return found.sorted();
}
