import { canonicalAlias, canonicalEmail } from '@berth/protocol';
import { type Denial, deny } from '../domain/commands.js';
import { nobodyCalled, userUnknown } from '../domain/decide/denial.js';
import { principalCalled } from '../domain/machines.js';
import type { State } from '../domain/state.js';
import type { HandlerDeps } from './deps.js';

/** Whom a text means: an e-mail address, or the login name of a workstation that a user has. */
export function userCalled({ state }: Pick<HandlerDeps, 'state'>, text: string): string | Denial {
  const email = canonicalEmail(text);
  if (email !== null) return email;
  const alias = canonicalAlias(text);
  const found = alias === null ? undefined : state.derived.userByAlias.get(alias);
  return found ?? nobodyCalled(text);
}

/**
 * The same for a request that changes something. A login name that leads nowhere stays as it is: what is asked may be a retry of what took it
 * away, which is known by its key before anybody looks for the user (I7). The decider refuses it otherwise.
 */
export function userMeant(deps: Pick<HandlerDeps, 'state'>, text: string): string | Denial {
  const called = userCalled(deps, text);
  return typeof called === 'string' ? called : (canonicalAlias(text) ?? called);
}

/** A filter that names nobody, or no product: an empty list would look as if there was nothing. Who was removed has nothing, and is known. */
export function unknownFilter(
  state: State,
  { email, product }: { readonly email?: string | undefined; readonly product?: string | undefined },
): Denial | null {
  if (product !== undefined && !state.tables.product.has(product))
    return deny('PRODUCT_UNKNOWN', undefined, { product });
  if (email === undefined || state.tables.user.has(email) || state.tables.formerUser.has(email)) return null;
  return principalCalled(state, email) === undefined ? userUnknown(state, email) : null;
}
