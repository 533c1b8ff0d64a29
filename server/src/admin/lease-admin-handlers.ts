import { canonicalText, limits } from '@berth/protocol';
import { deny } from '../domain/commands.js';
import type { Handlers } from '../transport/api.js';
import type { HandlerDeps } from './deps.js';
import { listLeases } from './lease-list.js';
import { userCalled } from './people.js';
import { asked } from './request.js';

type LeaseAdminHandlers = Pick<Handlers, 'lease.list' | 'lease.revoke' | 'lease.keep' | 'lease.message'>;

export function leaseAdminHandlers(deps: HandlerDeps): LeaseAdminHandlers {
  const { engine, sessions } = deps;
  return {
    'lease.list': async (params) => {
      const email = params.email === undefined ? undefined : userCalled(deps, params.email);
      return typeof email === 'object'
        ? email
        : engine.read((state, now) => listLeases(state, params, email, now));
    },
    'lease.revoke': async (params, caller) => {
      const { lease, inSeconds } = params;
      const said = params.reason?.trim() ?? '';
      const reason = said === '' ? 'Released by an administrator.' : canonicalText(said, limits.reasonChars);
      if (reason === null) return deny('MESSAGE_INVALID');
      const key = asked('lease.revoke', params, caller);
      const after = inSeconds === undefined ? {} : { afterMs: inSeconds * 1000 };
      const settled = await engine.submit({ type: 'revokeLease', ...key, lease, reason, ...after });
      return settled.ok ? { ok: true, result: settled.outcome } : settled;
    },
    'lease.keep': async (params, caller) => {
      const key = asked('lease.keep', params, caller);
      const settled = await engine.submit({ type: 'keepLease', ...key, lease: params.lease });
      return settled.ok ? { ok: true, result: settled.outcome } : settled;
    },
    'lease.message': async (params, caller) => {
      const text = canonicalText(params.text, limits.messageChars);
      if (text === null) return deny('MESSAGE_INVALID');
      const { lease } = params;
      const key = asked('lease.message', params, caller);
      const connected = sessions.isBound(lease);
      const settled = await engine.submit({ type: 'messageLease', ...key, lease, text, connected });
      return settled.ok ? { ok: true, result: settled.outcome } : settled;
    },
  };
}
