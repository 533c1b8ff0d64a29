import { canonicalEmail, canonicalName, isRole, type ParamsOf } from '@berth/protocol';
import { type Command, type Denial, deny, type Settled, type When } from '../domain/commands.js';
import type { Answer, Caller, Handlers } from '../transport/api.js';
import type { HandlerDeps } from './deps.js';
import { userMeant } from './people.js';
import { asked, unasked, whenOf } from './request.js';
import { listUsers } from './user-list.js';

type UserHandlers = Pick<
  Handlers,
  'user.invite' | 'user.invite.preview' | 'user.list' | 'user.remove' | 'user.remove.preview'
>;

/** An invitation, but for who asks. */
type Invite = Omit<Command<'invite'>, 'by' | 'request'>;

export function userHandlers(deps: HandlerDeps): UserHandlers {
  const { engine } = deps;
  return {
    'user.invite': (params, caller) => invite(deps, params, caller),
    'user.invite.preview': (params, caller) => wouldInvite(deps, params, caller),
    'user.list': (params) => listUsers(deps, params),
    'user.remove': (params, caller) =>
      remove(deps, params, (whom) =>
        engine.submit({ type: 'removeUser', ...asked('user.remove', params, caller), ...whom }),
      ),
    'user.remove.preview': (params, caller) =>
      remove(deps, params, (whom) =>
        engine.would({ type: 'removeUser', ...unasked('user.remove', params, caller), ...whom }),
      ),
  };
}

async function invite(
  deps: HandlerDeps,
  params: ParamsOf<'user.invite'>,
  caller: Caller,
): Promise<Answer<'user.invite'>> {
  const command = invitationOf(deps, params);
  if ('ok' in command) return command;
  const settled = await deps.engine.submit({ ...command, ...asked('user.invite', params, caller) });
  if (!settled.ok) return settled;
  const { user, invitation, expiresAtMs, replaced } = settled.outcome;
  const link = deps.invitations.link(invitation, deps.address(), deps.serverKey);
  return { ok: true, result: { user, link, expiresAtMs, ...(replaced === true ? { replaced } : {}) } };
}

/** The invitation that it names is kept nowhere: there is no link to it. */
async function wouldInvite(
  deps: HandlerDeps,
  params: ParamsOf<'user.invite.preview'>,
  caller: Caller,
): Promise<Answer<'user.invite.preview'>> {
  const command = invitationOf(deps, params);
  if ('ok' in command) return command;
  const settled = await deps.engine.would({ ...command, ...unasked('user.invite', params, caller) });
  if (!settled.ok) return settled;
  const { user, expiresAtMs, replaced } = settled.outcome;
  return { ok: true, result: { user, expiresAtMs, ...(replaced === true ? { replaced } : {}) } };
}

async function remove(
  deps: HandlerDeps,
  params: ParamsOf<'user.remove.preview'>,
  settle: (whom: { email: string; when: When }) => Promise<Settled<'removeUser'>>,
): Promise<Answer<'user.remove'>> {
  const email = userMeant(deps, params.email);
  if (typeof email !== 'string') return email;
  const when = whenOf(params);
  if (typeof when !== 'string') return when;
  const settled = await settle({ email, when });
  return settled.ok ? { ok: true, result: settled.outcome } : settled;
}

/** What is typed, as a command. */
function invitationOf(deps: HandlerDeps, params: ParamsOf<'user.invite.preview'>): Invite | Denial {
  const email = canonicalEmail(params.email);
  if (email === null) return deny('EMAIL_INVALID', undefined, { email: params.email });
  const name = params.name === undefined ? null : canonicalName(params.name);
  if (params.name !== undefined && name === null) return deny('NAME_INVALID', undefined, { email });
  const role = params.role?.trim().toLowerCase() ?? null;
  if (role !== null && !isRole(role))
    return deny('ROLE_INVALID', `There is no role "${params.role}".`, { email });
  const resend = params.resend === true ? { resend: true } : {};
  const { device = false } = params;
  return { type: 'invite', email, name, role, device, ...resend, invitationMs: deps.invitationMs };
}
