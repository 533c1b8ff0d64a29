import { canonicalEmail, canonicalName, isRole } from '@berth/protocol';
import { deny } from '../domain/commands.js';
import type { Answer, Handlers } from '../transport/api.js';
import type { HandlerDeps } from './deps.js';
import { userMeant } from './people.js';
import { asked, whenOf } from './request.js';
import { listUsers } from './user-list.js';

type UserHandlers = Pick<Handlers, 'user.invite' | 'user.list' | 'user.remove'>;

export function userHandlers(deps: HandlerDeps): UserHandlers {
  const { engine } = deps;
  return {
    'user.invite': (params, caller) => invite(deps, params, caller),
    'user.list': (params) => engine.read((state, now) => listUsers(state, params, now)),
    'user.remove': async (params, caller) => {
      const email = userMeant(deps, params.email);
      if (typeof email !== 'string') return email;
      const when = whenOf(params);
      if (typeof when !== 'string') return when;
      const settled = await engine.submit({
        type: 'removeUser',
        ...asked('user.remove', params, caller),
        email,
        when,
      });
      return settled.ok ? { ok: true, result: settled.outcome } : settled;
    },
  };
}

const invite = async (
  deps: HandlerDeps,
  params: Parameters<Handlers['user.invite']>[0],
  caller: Parameters<Handlers['user.invite']>[1],
): Promise<Answer<'user.invite'>> => {
  const email = canonicalEmail(params.email);
  if (email === null) return deny('EMAIL_INVALID', undefined, { email: params.email });
  const name = params.name === undefined ? null : canonicalName(params.name);
  if (params.name !== undefined && name === null) return deny('NAME_INVALID', undefined, { email });
  const role = params.role?.trim().toLowerCase() ?? null;
  if (role !== null && !isRole(role))
    return deny('ROLE_INVALID', `There is no role "${params.role}".`, { email });
  const settled = await deps.engine.submit({
    type: 'invite',
    ...asked('user.invite', params, caller),
    email,
    name,
    role,
    device: params.device ?? false,
    ...(params.resend === true ? { resend: true } : {}),
    invitationMs: deps.invitationMs,
  });
  if (!settled.ok) return settled;
  const { user, invitation, expiresAtMs, replaced } = settled.outcome;
  const link = deps.invitations.link(invitation, deps.address(), deps.serverKey);
  return { ok: true, result: { user, link, expiresAtMs, ...(replaced === true ? { replaced } : {}) } };
};
