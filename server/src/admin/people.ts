import { canonicalAlias, canonicalEmail } from '@berth/protocol';
import type { Denial } from '../domain/commands.js';
import { nobodyCalled } from '../domain/decide/denial.js';
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
