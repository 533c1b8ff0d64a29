import { canonicalText, limits } from '@berth/protocol';
import { deny } from '../domain/commands.js';
import type { Lease, Seat, State } from '../domain/state.js';
import { isLasting, leaseInfo, lingeringInfo } from '../domain/views.js';
import type { Answer, Handlers } from '../transport/api.js';
import type { HandlerDeps } from './deps.js';
import { page } from './pages.js';
import { unknownFilter, userCalled } from './people.js';
import { asked } from './request.js';

type LeaseAdminHandlers = Pick<Handlers, 'lease.list' | 'lease.revoke' | 'lease.keep' | 'lease.message'>;

export function leaseAdminHandlers(deps: HandlerDeps): LeaseAdminHandlers {
  const { engine, sessions } = deps;
  return {
    'lease.list': async ({ cursor, limit, email: given, product }) => {
      const email = given === undefined ? undefined : userCalled(deps, given);
      if (typeof email === 'object') return email;
      return engine.read((state, now): Answer<'lease.list'> => {
        const unknown = unknownFilter(state, { email, product });
        if (unknown !== null) return unknown;
        const wanted = (row: { email: string }, of: string): boolean =>
          (email === undefined || row.email === email) && (product === undefined || of === product);
        const leases = [...state.tables.lease.values()].filter(
          (row) => wanted(row, row.claims.product) && isLasting(state, row),
        );
        const kept = lingering(state).filter((seat) => wanted(seat, seat.product));
        const key = (row: Lease | Seat): string =>
          'claims' in row
            ? `${row.claims.product} ${row.claims.jti}`
            : `${row.product} ${row.linger?.lease ?? ''}`;
        const view = (row: Lease | Seat) =>
          'claims' in row ? leaseInfo(state, row, now) : lingeringInfo(state, row, now);
        return { ok: true, result: page([...leases, ...kept], key, { cursor, limit }, view) };
      });
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

/** Seats that nobody has a lease of, kept for whoever had it: an admin sees why they are not free. */
function lingering(state: State): Seat[] {
  return [...state.derived.lingerByLease.values()].map((id) => state.tables.seat.get(id)!);
}
