import { createHash } from 'node:crypto';
import { canonicalEmail, canonicalName, type ParamsOf, parsePublicKey, parseToken } from '@berth/protocol';
import { type Command, type Denial, deny, type Settled } from '../domain/commands.js';
import { userUnknown } from '../domain/decide/denial.js';
import { principalOf } from '../domain/machines.js';
import { organisationOf } from '../domain/state.js';
import type { Answer, Caller, Handlers } from '../transport/api.js';
import type { HandlerDeps } from './deps.js';
import { grant as grantTokens } from './grants.js';
import { asked, byOf, unasked } from './request.js';

type OfflineHandlers = Pick<
  Handlers,
  'borrow.grant' | 'borrow.grant.preview' | 'borrow.accept' | 'borrow.accept.preview'
>;

/** Borrows of machines that no network reaches: an admin carries the files (PROTOCOL 4.9). */
export function offlineHandlers(deps: HandlerDeps): OfflineHandlers {
  return {
    'borrow.grant': (params, caller) => grant(deps, params, caller),
    'borrow.grant.preview': (params, caller) => wouldGrant(deps, params, caller),
    'borrow.accept': (params, caller) =>
      accept(deps, params, (wish) => {
        const { request } = asked('borrow.accept', { ...params, leases: wish.leases }, caller);
        return deps.engine.submit({ type: 'return', request, ...wish });
      }),
    'borrow.accept.preview': (params, caller) =>
      accept(deps, params, (wish) => {
        const { request } = unasked('borrow.accept', params, caller);
        return deps.engine.would({ type: 'return', request, ...wish });
      }),
  };
}

async function grant(
  deps: HandlerDeps,
  params: ParamsOf<'borrow.grant'>,
  caller: Caller,
): Promise<Answer<'borrow.grant'>> {
  const command = requestIn(deps, params, caller);
  if ('ok' in command) return command;
  const { product } = command;
  const settled = await deps.engine.submit(command);
  if (!settled.ok) {
    if (typeof settled.detail?.rule === 'string') deps.metrics.denial(product, settled.detail.rule);
    return settled;
  }
  const other = grantedToAnother(command, settled.outcome);
  if (other !== null) return other;
  const { leases, freeAtMs, earlyReturn, device } = settled.outcome;
  deps.metrics.checkout(product, 'granted');
  const tokens = await grantTokens(deps, leases);
  return deps.engine.read((state): Answer<'borrow.grant'> => {
    const { serverId, serverKey, name: organisation } = organisationOf(state);
    const lent = state.tables.device.get(device);
    const user = lent === undefined ? undefined : principalOf(state, lent);
    if (user === undefined) return userUnknown(state, settled.outcome.email);
    return {
      ok: true,
      result: {
        ...tokens,
        freeAtMs,
        earlyReturn,
        device: { id: device, name: lent?.name ?? command.name },
        user,
        server: { id: serverId, key: serverKey },
        organisation: { name: organisation },
      },
    };
  });
}

async function wouldGrant(
  deps: HandlerDeps,
  params: ParamsOf<'borrow.grant.preview'>,
  caller: Caller,
): Promise<Answer<'borrow.grant.preview'>> {
  const command = requestIn(deps, params, caller);
  if ('ok' in command) return command;
  const { product, seats, leaseKey, name } = command;
  const settled = await deps.engine.would(command);
  if (!settled.ok) return settled;
  const other = grantedToAnother(command, settled.outcome);
  if (other !== null) return other;
  const { email, freeAtMs, earlyReturn } = settled.outcome;
  return deps.engine.read((state): Answer<'borrow.grant.preview'> => {
    const known = state.tables.device.get(state.derived.deviceByKey.get(`lease ${leaseKey}`) ?? '');
    const found = known === undefined ? state.tables.user.get(email) : principalOf(state, known);
    if (found === undefined) return userUnknown(state, email);
    const user = { email, name: found.name, role: found.role, state: found.state };
    const device = { name: known?.name ?? name, enrols: known === undefined };
    return { ok: true, result: { product, seats, freeAtMs, earlyReturn, device, user } };
  });
}

/** What the machine asked for, once its file is found to be its own. */
function requestIn(
  deps: HandlerDeps,
  params: ParamsOf<'borrow.grant.preview'>,
  caller: Caller,
): Command<'grantBorrow'> | Denial {
  const parsed = parseToken('borrowRequest', params.request);
  if (!parsed.ok) return deny('BORROW_FILE_INVALID', undefined, { fault: parsed.fault });
  const { claims, signed, signature } = parsed.token;
  const key = parsePublicKey(claims.dev);
  if (key === null || !deps.verify(key, signed, signature))
    return deny('SIGNATURE_INVALID', 'The request is not signed by the key that it names.');
  const email = params.email === undefined ? null : canonicalEmail(params.email);
  if (params.email !== undefined && email === null)
    return deny('EMAIL_INVALID', undefined, { email: params.email });
  const name = canonicalName(claims.name);
  if (name === null) return deny('NAME_INVALID', 'The device name has characters that a name may not have.');
  const { nonce, dev: leaseKey, product, seats, seconds, server = null } = claims;
  const hash = createHash('sha256').update(params.request).digest('base64url');
  return {
    type: 'grantBorrow',
    by: byOf(caller),
    // I7: known by the request itself, whoever brings the file and however often.
    request: { device: `offline ${leaseKey}`, key: nonce, hash },
    ...{ leaseKey, name, email, server, product, seats, seconds, nonce },
    requestedAtMs: claims.iat * 1000,
  };
}

function grantedToAnother(
  { email }: Command<'grantBorrow'>,
  granted: { readonly email: string },
): Denial | null {
  if (email === null || email === granted.email) return null;
  return deny('KEY_REUSED', `The request was granted to ${granted.email} before.`);
}

async function accept(
  { state, verify }: HandlerDeps,
  params: ParamsOf<'borrow.accept.preview'>,
  settle: (wish: Omit<Command<'return'>, 'type' | 'request'>) => Promise<Settled<'return'>>,
): Promise<Answer<'borrow.accept'>> {
  const key = parsePublicKey(params.device);
  const leases = new Set<string>();
  for (const stop of params.stops) {
    const parsed = parseToken('stop', stop);
    if (!parsed.ok || key === null || parsed.token.claims.dev !== params.device) return deny('STOP_INVALID');
    if (!verify(key, parsed.token.signed, parsed.token.signature)) return deny('STOP_INVALID');
    leases.add(parsed.token.claims.jti);
  }
  const device = state.tables.device.get(state.derived.deviceByKey.get(`lease ${params.device}`) ?? '');
  if (device === undefined) return deny('DEVICE_UNKNOWN', 'The machine is not enrolled on this server.');
  const settled = await settle({
    // The machine speaks, by its signature; the admin only carries what it says.
    by: { device: device.id, email: device.email },
    leases: [...leases].sort(),
  });
  return settled.ok ? { ok: true, result: { returned: [...settled.outcome.returned] } } : settled;
}
