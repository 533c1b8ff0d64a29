import { canonicalAlias, canonicalEmail } from '@berth/protocol';
import { type Denial, deny } from '../domain/commands.js';
import type { HandlerDeps } from './deps.js';

/** Whom a text means: an e-mail address, or the login name of a workstation that a user has. */
export function userCalled({ state }: Pick<HandlerDeps, 'state'>, text: string): string | Denial {
  const email = canonicalEmail(text);
  if (email !== null) return email;
  const alias = canonicalAlias(text);
  const found = alias === null ? undefined : state.derived.userByAlias.get(alias);
  if (found !== undefined) return found;
  return deny(
    'EMAIL_INVALID',
    `"${text.slice(0, 60)}" is neither an e-mail address nor a login name of a user.`,
    { email: text },
  );
}
