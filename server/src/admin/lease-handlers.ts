import { limits, parsePublicKey, parseToken, type Renewal } from '@berth/protocol';
import { type Command, deny, type RenewedLease } from '../domain/commands.js';
import { poolOf } from '../domain/pools.js';
import type { Answer, Caller, Handlers } from '../transport/api.js';
import { checkoutHandlers } from './checkout-handlers.js';
import type { HandlerDeps } from './deps.js';
import { chainTokens, denied, grant } from './grants.js';
import { page } from './pages.js';
import { asked, byOf } from './request.js';

type LeaseHandlers = Pick<
  Handlers,
  | 'session.resume'
  | 'lease.checkout'
  | 'lease.cancelWait'
  | 'lease.renew'
  | 'lease.release'
  | 'borrow.take'
  | 'borrow.return'
  | 'pool.status'
>;

/** The lease path: what plugins ask for. */
export function leaseHandlers(deps: HandlerDeps): LeaseHandlers {
  const { engine, metrics } = deps;
  return {
    ...checkoutHandlers(deps),
    'session.resume': async ({ leases, nonce, tokens = [] }, caller) => {
      if (new Set([...caller.leases, ...leases]).size > limits.leasesPerSession)
        return deny('TOO_MANY_LEASES');
      await readmit(deps, tokens, caller);
      return renew(deps, caller, { leases, nonce, idle: [], withEntitlements: true });
    },
    'lease.renew': async ({ nonce, idle = [], tokens = [] }, caller) => {
      await readmit(deps, tokens, caller);
      return renew(deps, caller, { leases: [...caller.leases], nonce, idle, withEntitlements: false });
    },
    'lease.release': async (params, caller) => {
      const stopped = readStops(deps, params.stops ?? [], caller);
      if (stopped === null) return deny('STOP_INVALID');
      const { leases } = params;
      const settled = await engine.submit({
        type: 'release',
        ...asked('lease.release', params, caller),
        leases,
        stopped,
      });
      if (!settled.ok) return settled;
      for (const lease of leases) caller.leases.delete(lease);
      return { ok: true, result: { released: [...settled.outcome.released] } };
    },
    'borrow.take': async (params, caller) => {
      const { product, seats, seconds, wallMs: clientWallMs, nonce } = params;
      const command = { product, seats, seconds, clientWallMs, nonce };
      const settled = await engine.submit({
        type: 'borrow',
        ...asked('borrow.take', params, caller),
        ...command,
      });
      if (!settled.ok) return denied(deps, product, settled);
      const { leases, freeAtMs, earlyReturn } = settled.outcome;
      metrics.checkout(product, 'granted');
      return { ok: true, result: { ...(await grant(deps, leases)), freeAtMs, earlyReturn } };
    },
    'borrow.return': async (params, caller) => {
      const leases = readStops(deps, params.stops, caller);
      if (leases === null) return deny('STOP_INVALID');
      const settled = await engine.submit({
        type: 'return',
        // Stops are signed again for a retry; what they stop is what was asked.
        ...asked('borrow.return', { ...params, leases: [...leases].sort() }, caller),
        leases,
      });
      return settled.ok ? { ok: true, result: { returned: [...settled.outcome.returned] } } : settled;
    },
    'pool.status': ({ product, cursor }) => status(deps, product, cursor),
  };
}

/**
 * @param asked.withEntitlements a resume always brings them: the client may hold one that a newer revision has prolonged. A renewal
 *   brings them only when a lease moved.
 */
async function renew(
  deps: HandlerDeps,
  caller: Caller,
  asked: Pick<Command<'renew'>, 'leases' | 'nonce' | 'idle'> & { readonly withEntitlements: boolean },
): Promise<Answer<'lease.renew'>> {
  const { withEntitlements, ...what } = asked;
  const { leases } = what;
  if (leases.length === 0) return { ok: true, result: { leases: [], entitlements: [] } };
  const settled = await deps.engine.submit({ type: 'renew', by: byOf(caller), ...what });
  if (!settled.ok) return settled;
  const { outcome } = settled;
  for (const row of outcome.leases) {
    if ('code' in row && row.code === 'LEASE_UNKNOWN') caller.leases.delete(row.lease);
    else caller.leases.add(row.lease);
  }
  const claims = outcome.leases.flatMap((row) => ('claims' in row ? [row.claims] : []));
  const tokens = deps.issuer.issueAll('lease', claims);
  const named = claims.map(({ ent }) => ent);
  const chain = await chainTokens(deps, withEntitlements || outcome.moved ? named : []);
  return { ok: true, result: { leases: renewals(outcome.leases, await tokens), ...chain } };
}

/** What a device shows after a restore (I9): tokens that this server did not sign for it count for nothing. */
async function readmit(
  { engine, rollback, verify, serverKey }: HandlerDeps,
  tokens: readonly string[],
  caller: Caller,
): Promise<void> {
  const shown = tokens.flatMap((text) => {
    const parsed = parseToken('lease', text);
    if (!parsed.ok || parsed.token.claims.dev !== caller.deviceKey) return [];
    const { claims, signed, signature } = parsed.token;
    return verify(serverKey, signed, signature) ? [claims] : [];
  });
  for (const claims of shown) rollback.shown(claims, caller.deviceId);
  if (shown.length > 0) await engine.submit({ type: 'readmit', by: byOf(caller), leases: shown });
}

/** @param tokens of those that have claims, in order */
function renewals(rows: readonly RenewedLease[], tokens: readonly string[]): Renewal[] {
  let at = 0;
  return rows.map((row) => {
    if (!('claims' in row)) return row;
    const { lease, warning } = row;
    return { lease, token: tokens[at++]!, ...(warning === undefined ? {} : { warning }) };
  });
}

/**
 * The leases whose stops are signed by the device that speaks; `null` when any is not. A signature is looked at only where it can
 * change something: once a lease, and only for leases this device has; what has ended already needs no proof.
 */
function readStops(
  { verify, state }: HandlerDeps,
  stops: readonly string[],
  caller: Caller,
): string[] | null {
  const leases = new Set<string>();
  const key = parsePublicKey(caller.deviceKey);
  for (const stop of stops) {
    const parsed = parseToken('stop', stop);
    if (!parsed.ok || key === null || parsed.token.claims.dev !== caller.deviceKey) return null;
    const { jti } = parsed.token.claims;
    const matters = state.tables.lease.get(jti)?.device === caller.deviceId && !leases.has(jti);
    if (matters && !verify(key, parsed.token.signed, parsed.token.signature)) return null;
    leases.add(jti);
  }
  return [...leases];
}

function status(
  { engine }: HandlerDeps,
  product: string | undefined,
  cursor: string | undefined,
): Promise<Answer<'pool.status'>> {
  return engine.read((state, now): Answer<'pool.status'> => {
    if (product !== undefined && !state.tables.product.has(product))
      return deny('PRODUCT_UNKNOWN', undefined, { product });
    const ids =
      product === undefined ? [...state.tables.product.values()].map((row) => row.product) : [product];
    const { items: pools, next } = page(
      ids,
      (id) => id,
      { cursor },
      (id) => poolOf(state, id, now),
    );
    return { ok: true, result: { pools, next } };
  });
}
