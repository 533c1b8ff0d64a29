import {
  type LeaseClaims,
  limits,
  type ParamsOf,
  parsePublicKey,
  parseToken,
  type Renewal,
} from '@berth/protocol';
import { type Command, type Denial, deny, type RenewedLease } from '../domain/commands.js';
import { poolOf } from '../domain/pools.js';
import type { State } from '../domain/state.js';
import type { Answer, Caller, Handlers } from '../transport/api.js';
import type { HandlerDeps } from './deps.js';
import { page } from './pages.js';
import { asked, byOf } from './request.js';

type LeaseHandlers = Pick<
  Handlers,
  | 'session.resume'
  | 'lease.checkout'
  | 'lease.renew'
  | 'lease.release'
  | 'borrow.take'
  | 'borrow.return'
  | 'pool.status'
>;

/** The lease path: what plugins ask for. */
export function leaseHandlers(deps: HandlerDeps): LeaseHandlers {
  const { engine, metrics } = deps;
  const places = new SessionPlaces();
  return {
    'session.resume': async ({ leases, nonce }, caller) => {
      if (new Set([...caller.leases, ...leases]).size > limits.leasesPerSession)
        return deny('TOO_MANY_LEASES');
      return renew(deps, caller, { leases, nonce, idle: [], withEntitlements: true });
    },
    'lease.renew': async ({ nonce, idle }, caller) =>
      renew(deps, caller, { leases: [...caller.leases], nonce, idle: idle ?? [], withEntitlements: false }),
    'lease.checkout': (params, caller) => checkout(deps, places, params, caller),
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

async function checkout(
  deps: HandlerDeps,
  places: SessionPlaces,
  params: ParamsOf<'lease.checkout'>,
  caller: Caller,
): Promise<Answer<'lease.checkout'>> {
  const { product, seats, nonce } = params;
  const wants = [{ products: [product], seats }];
  const free = places.reserve(caller, seats);
  try {
    const key = asked('lease.checkout', params, caller);
    const settled = await deps.engine.submit({ type: 'checkout', ...key, wants, nonce, places: free });
    if (!settled.ok) return denied(deps, product, settled);
    const { leases, joined } = settled.outcome;
    deps.metrics.checkout(product, joined ? 'joined' : 'granted');
    for (const { jti } of leases) caller.leases.add(jti);
    return { ok: true, result: { ...(await grant(deps, leases)), joined } };
  } finally {
    places.giveBack(caller, seats);
  }
}

/** Places for leases in each session, those of checkouts in flight included: a burst cannot pass the limit. */
class SessionPlaces {
  readonly #reserved = new WeakMap<Caller, number>();

  /** @returns how many leases this checkout may bring. */
  reserve(caller: Caller, seats: number): number {
    const reserved = this.#reserved.get(caller) ?? 0;
    this.#reserved.set(caller, reserved + seats);
    return limits.leasesPerSession - caller.leases.size - reserved;
  }

  giveBack(caller: Caller, seats: number): void {
    this.#reserved.set(caller, (this.#reserved.get(caller) ?? 0) - seats);
  }
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
  const renewed = outcome.leases.map((row) => renewal(deps, row));
  const named = outcome.leases.flatMap((row) => ('claims' in row ? [row.claims.ent] : []));
  const entitlements = await entitlementTokens(deps, withEntitlements || outcome.moved ? named : []);
  return { ok: true, result: { leases: renewed, entitlements } };
}

function renewal({ issuer }: HandlerDeps, row: RenewedLease): Renewal {
  return 'claims' in row ? { lease: row.lease, token: issuer.issue('lease', row.claims) } : row;
}

/** Signs the leases and adds the entitlements they name: the client can verify the chain at once (DESIGN 4). */
async function grant(
  deps: HandlerDeps,
  leases: readonly LeaseClaims[],
): Promise<{ leases: string[]; entitlements: string[] }> {
  return {
    leases: leases.map((claims) => deps.issuer.issue('lease', claims)),
    entitlements: await entitlementTokens(
      deps,
      leases.map(({ ent }) => ent),
    ),
  };
}

/** Of up to 4 KiB each: with 64 leases they fit a frame. A client has those of its other leases from their checkouts. */
const ENTITLEMENTS_PER_REPLY = 40;

function entitlementTokens({ engine }: HandlerDeps, ids: readonly string[]): Promise<string[]> | string[] {
  if (ids.length === 0) return [];
  return engine.read((state: State) =>
    [...new Set(ids)].slice(0, ENTITLEMENTS_PER_REPLY).map((id) => state.tables.entitlement.get(id)!.token),
  );
}

function denied({ metrics }: HandlerDeps, product: string, denial: Denial): Denial {
  const rule = denial.detail?.rule;
  metrics.checkout(product, 'denied');
  metrics.denial(product, typeof rule === 'string' ? rule : denial.code);
  return denial;
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
