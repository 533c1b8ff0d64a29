import { canonicalEmail } from '@berth/protocol';
import { deny } from '../domain/commands.js';
import type { Lease } from '../domain/state.js';
import { leaseInfo } from '../domain/views.js';
import type { Answer, Handlers } from '../transport/api.js';
import type { HandlerDeps } from './deps.js';
import { page } from './pages.js';
import { asked } from './request.js';

type LeaseAdminHandlers = Pick<Handlers, 'lease.list' | 'lease.revoke'>;

export function leaseAdminHandlers({ engine }: HandlerDeps): LeaseAdminHandlers {
  return {
    'lease.list': async ({ cursor, limit, email: given, product }) => {
      const email = given === undefined ? undefined : canonicalEmail(given);
      if (email === null) return deny('EMAIL_INVALID', undefined, { email: given });
      return engine.read((state, now): Answer<'lease.list'> => {
        const all = [...state.tables.lease.values()].filter(
          (row) =>
            (email === undefined || row.email === email) &&
            (product === undefined || row.claims.product === product),
        );
        const key = (row: Lease): string => `${row.claims.product} ${row.claims.jti}`;
        return { ok: true, result: page(all, key, { cursor, limit }, (row) => leaseInfo(state, row, now)) };
      });
    },
    'lease.revoke': async (params, caller) => {
      const reason = params.reason ?? 'Released by an administrator.';
      const key = asked('lease.revoke', params, caller);
      const settled = await engine.submit({ type: 'revokeLease', ...key, lease: params.lease, reason });
      return settled.ok ? { ok: true, result: settled.outcome } : settled;
    },
  };
}
